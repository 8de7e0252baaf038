import { Operations, type Message, type Pod } from '@edge/protocol';
import { subject, type CaptureStep, type Heard } from '@edge/testing';
import type { OwnMessage, RecordedMessage } from './difference.js';
import { podIn, typeOf } from './recordings.js';

/**
 * The edge messages of recordings that follow one another.
 * @param starts indexes of the recordings in which the agent was started
 */
export function recordedSide(recordings: readonly (readonly CaptureStep[])[], starts: readonly number[]): RecordedMessage[] {
  const steps = recordings.flatMap((recording, capture) => recording.map((step) => ({ ...step, capture })));
  const byId = new Map(steps.flatMap((step) => (step.kind === 'cloud' ? [[step.message.header.id, step.message] as const] : [])));
  const pods = new Map<string, Pod>();
  const started = new Set<number>();
  let leaseKnown = !starts.includes(0);
  return steps.flatMap((step): RecordedMessage[] => {
    if (step.kind !== 'edge' && step.kind !== 'cloud') return [];
    const { message, text, capture } = step;
    if (step.kind === 'cloud') {
      const pod = podIn(message);
      if (pod) pods.set(nameOf(message), pod);
      return [];
    }
    if (starts.includes(capture) && !started.has(capture)) {
      started.add(capture);
      leaseKnown = false;
    }
    const answered = message.header.parentId === undefined ? undefined : byId.get(message.header.parentId);
    const pod = typeOf(message) === 'podpatch' ? (pods.get(nameOf(message)) ?? answeredWith(message, steps)) : undefined;
    const one = { message, text, capture, pod, answered, leaseKnown };
    if (typeOf(message) === 'lease' && message.route.operation === Operations.query) leaseKnown = true;
    return [one];
  });
}

/** What our agent said, without what it said before the recordings began. */
export function ownSide(heard: readonly Heard[], sent: readonly Message[], recorded: readonly RecordedMessage[]): OwnMessage[] {
  const byId = new Map(sent.map((message) => [message.header.id, message]));
  return heard.flatMap(({ message, text, capture, session }, index): OwnMessage[] => {
    if (capture < 0) return [];
    const alike = heard.slice(0, index).filter((other) => other.message.header.parentId === undefined && subject(other.message) === questionOf(message));
    return [
      {
        message,
        text,
        capture,
        session,
        answered: message.header.parentId === undefined ? undefined : byId.get(message.header.parentId),
        firstInSession: !alike.some((other) => other.session === session),
        saidBefore: alike.some((other) => other.session < session),
        rivals: recorded.flatMap((one) => (one.capture === capture && subject(one.message) === subject(message) ? [one.message] : [])),
      },
    ];
  });
}

/** The subject of the message itself; of an acknowledgement that of the question whose answer it acknowledges. */
function questionOf(message: Message): string {
  return message.header.parentId === undefined ? subject(message) : `${Operations.query} ${message.route.resource}`;
}

function nameOf({ route }: Message): string {
  return route.resource.split('/')[2] ?? '';
}

/** The pod in the answer: the first that the recording knows of a pod that was there before. */
function answeredWith(message: Message, steps: readonly CaptureStep[]): Pod | undefined {
  const answer = steps.find((step) => step.kind === 'cloud' && step.message.header.parentId === message.header.id);
  return answer?.kind === 'cloud' ? podIn(answer.message) : undefined;
}
