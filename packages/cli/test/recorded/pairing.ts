import type { Message } from '@edge/protocol';
import { typeOf } from './recordings.js';

/**
 * The recorded message, of those with the same subject, that one of the agent stands for: the next one. The states of a
 * pod's containers have to be the same, so that a state more or less does not shift all the others.
 */
export function standsFor(message: Message, candidates: readonly Message[]): Message | undefined {
  if (typeOf(message) !== 'podpatch') return candidates[0];
  return candidates.find((candidate) => containerStates(candidate) === containerStates(message));
}

/** What the containers in a status patch do, and whether they are ready, in words. */
export function containerStates({ content }: Message): string {
  if (typeof content !== 'string') return '';
  const { status } = JSON.parse(content) as { status?: { containerStatuses?: { name: string; ready?: boolean; state?: object }[] } };
  return (status?.containerStatuses ?? []).map(({ name, ready, state }) => `${name} ${Object.keys(state ?? {}).join()}${ready ? ' ready' : ''}`).join('; ');
}
