import type { ResourceRef, ResourceType } from '@edge/kubeapi';

/** Groups whose objects are questions: their answer is all that there is of them. */
const QUESTIONS = new Set(['authentication.k8s.io', 'authorization.k8s.io']);
/** A lease that is taken later than its time was never held; an event tells of a moment. */
const OF_THE_MOMENT = new Set(['coordination.k8s.io/leases', '/events', 'events.k8s.io/events']);

export interface Change {
  readonly type: ResourceType;
  readonly ref: ResourceRef;
  /** Name of the object. */
  readonly name: string | undefined;
  readonly dryRun: boolean | undefined;
}

/** Why a change cannot be made later, in words; undefined for one that can. */
export function whyNotLater({ type, ref, name, dryRun }: Change): string | undefined {
  if (dryRun === true) return 'a dry run tells what the cloud would say now';
  if (ref.subresource !== undefined) return `${type.plural}/${ref.subresource} acts on what is there now`;
  if (QUESTIONS.has(type.group)) return `${type.plural} are questions, the answer is needed now`;
  if (OF_THE_MOMENT.has(`${type.group}/${type.plural}`)) return `${type.plural} are about the present moment`;
  if (name === undefined || name === '') return 'the cloud would have to choose the name (generateName): give it one';
  return undefined;
}
