import { createMessage } from '@edge/protocol';
import { expect, it } from 'vitest';
import { destinationOf } from './dispatch.js';

const of = (group: string, source = 'edgecontroller', parentId?: string): ReturnType<typeof destinationOf> =>
  destinationOf(createMessage({ source, group, operation: 'update', resource: 'default/pod/p', ...(parentId ? { parentId } : {}) }));

it('[edgehub-2.10] dispatches by upstream\'s table', () => {
  expect(of('resource')).toEqual({ kind: 'send', to: { group: 'meta' } });
  expect(of('func')).toEqual({ kind: 'send', to: { group: 'meta' } });
  expect(of('resource', 'edgecontroller', 'q')).toEqual({ kind: 'waiter', otherwise: { group: 'meta' } });
  expect(of('twin', 'devicecontroller')).toEqual({ kind: 'send', to: { group: 'twin' } });
  expect(of('twin', 'devicecontroller', 'q')).toEqual({ kind: 'waiter', otherwise: { group: 'twin' } });
  expect(of('user', 'router_eventbus')).toEqual({ kind: 'send', to: { module: 'eventbus' } });
  expect(of('user', 'router_servicebus')).toEqual({ kind: 'send', to: { module: 'servicebus' } });
  expect(of('user', 'servicebus', 'q')).toEqual({ kind: 'waiter' });
  expect(of('taskmanager', 'taskmanager', 'q')).toEqual({ kind: 'send', to: { group: 'taskmanager' } });
});

it('[edgehub-2.11] drops what no module takes, names of objects included', () => {
  for (const source of ['', 'constructor', '__proto__', 'other']) expect(of('user', source)).toMatchObject({ kind: 'drop' });
  for (const group of ['', 'resources', 'toString']) expect(of(group)).toMatchObject({ kind: 'drop' });
});
