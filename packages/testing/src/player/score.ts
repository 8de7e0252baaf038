import { Operations, type Message } from '@edge/protocol';
import { isRoutine, subject, type CaptureStep } from './capture.js';

/** A message that the agent sent in the recording, what it was answered, and the message that stands for it now. */
export interface Expected {
  readonly message: Message;
  readonly replies: readonly Message[];
  /** Index of the recording. */
  readonly capture: number;
  /** Nothing waits for it and no message of the agent stands for it. */
  readonly omitted: boolean;
  heard?: Message;
}

/** One thing to do, in the order of the recording. */
export type Beat =
  | { readonly kind: 'open' | 'close'; readonly at: number }
  | { readonly kind: 'push'; readonly at: number; readonly message: Message; readonly needsAck: boolean }
  | { readonly kind: 'expect'; readonly at: number; readonly expected: Expected };

/** Recordings as a list of things to do, for each of them apart. Answers are not in it: they follow their questions. */
export interface Score {
  readonly parts: readonly (readonly Beat[])[];
  readonly expected: readonly Expected[];
}

/** @param omitted true for messages of the recording that the agent is not expected to send */
export function planScore(captures: readonly (readonly CaptureStep[])[], omitted: (message: Message) => boolean): Score {
  const steps = captures.flat();
  // What a rule's call brings names the call as well, but acknowledges nothing.
  const isAck = ({ header, route }: Message): boolean => header.parentId !== undefined && route.operation === Operations.response;
  const acknowledged = new Set(steps.flatMap((step) => (step.kind === 'edge' && isAck(step.message) ? [step.message.header.parentId] : [])));
  const replies = steps.flatMap((step) => (step.kind === 'cloud' && step.message.header.parentId !== undefined ? [step.message] : []));
  const expected: Expected[] = [];
  const parts = captures.map((capture, index) =>
    capture.flatMap((step): Beat[] => {
      const { at } = step;
      if (step.kind === 'open' || step.kind === 'close') return [{ kind: step.kind, at }];
      const { message } = step;
      if (message.header.parentId !== undefined) return [];
      if (step.kind === 'cloud') return [{ kind: 'push', at, message, needsAck: acknowledged.has(message.header.id) }];
      const own = replies.filter(({ header }) => header.parentId === message.header.id);
      const one: Expected = { message, replies: own, capture: index, omitted: omitted(message) };
      expected.push(one);
      return one.omitted || goesByTheClock(message) ? [] : [{ kind: 'expect', at, expected: one }];
    }),
  );
  return { parts, expected };
}

/** What is still to come, in words. */
export function describeBeat(beat: Beat): string {
  if (beat.kind === 'push') return subject(beat.message);
  return beat.kind === 'expect' ? subject(beat.expected.message) : beat.kind;
}

/** Sent every so many seconds whatever happens: the play does not wait for it. */
function goesByTheClock(message: Message): boolean {
  return isRoutine(message) || (message.route.resource.includes('/lease/') && message.route.operation !== Operations.insert);
}
