import type { Target } from '@edge/core';
import { Groups, Modules, Sources, type Message } from '@edge/protocol';

/** Where a message from the cloud goes. */
export type Destination =
  /** To whoever waits for it by its parent id; when nobody does, to `otherwise`. */
  | { readonly kind: 'waiter'; readonly otherwise?: Target }
  | { readonly kind: 'send'; readonly to: Target }
  | { readonly kind: 'drop'; readonly why: string };

interface Row {
  readonly groups: readonly string[];
  readonly answer: Destination;
  readonly other: (message: Message) => Destination;
}

const TO_META: Destination = { kind: 'send', to: { group: Groups.meta } };
const TO_TWIN: Destination = { kind: 'send', to: { group: Groups.twin } };
const TO_TASKS: Destination = { kind: 'send', to: { group: Groups.taskManager } };

const USER_SOURCES: Readonly<Record<string, Destination>> = {
  [Sources.routerEventBus]: { kind: 'send', to: { module: Modules.eventBus } },
  [Sources.routerServiceBus]: { kind: 'send', to: { module: Modules.serviceBus } },
};

/** First row whose group fits. Answers that nobody waits for any more go to the module that asks such questions: metamanager stores and acknowledges them. */
const ROWS: readonly Row[] = [
  { groups: [Groups.resource, Groups.func], answer: { kind: 'waiter', otherwise: { group: Groups.meta } }, other: () => TO_META },
  { groups: [Groups.twin], answer: { kind: 'waiter', otherwise: { group: Groups.twin } }, other: () => TO_TWIN },
  {
    groups: [Groups.user],
    answer: { kind: 'waiter' },
    other: ({ route }) =>
      (Object.hasOwn(USER_SOURCES, route.source) ? USER_SOURCES[route.source] : undefined) ?? { kind: 'drop', why: `no module takes messages of group user from source "${route.source.slice(0, 60)}"` },
  },
  { groups: [Groups.taskManager], answer: TO_TASKS, other: () => TO_TASKS },
];

/** Decides where a message from the cloud goes. */
export function destinationOf(message: Message): Destination {
  const row = ROWS.find(({ groups }) => groups.includes(message.route.group));
  if (!row) return { kind: 'drop', why: `no module takes messages of group "${message.route.group.slice(0, 60)}"` };
  return message.header.parentId === undefined ? row.other(message) : row.answer;
}
