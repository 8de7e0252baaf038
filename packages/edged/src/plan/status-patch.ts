import { createStrategicPatch, type Pod, type PodCondition, type PodStatus } from '@edge/protocol';
import { NODE_CONDITIONS } from './conditions.js';
import { sortedJson } from './sorted-json.js';

/** Members of a pod's status that its node writes; what others wrote beside them is left alone. */
const OWNED = [
  'phase',
  'conditions',
  'message',
  'reason',
  'hostIP',
  'hostIPs',
  'podIP',
  'podIPs',
  'startTime',
  'initContainerStatuses',
  'containerStatuses',
  'ephemeralContainerStatuses',
  'qosClass',
] as const;

/** The part of a patch below `status`; empty when nothing is to be sent. */
export type StatusChanges = Readonly<Record<string, unknown>>;

/** What turns the status that the API is known to have into the wanted one. */
export function podStatusChanges(known: Pod, wanted: PodStatus): StatusChanges {
  const before = known.status ?? {};
  const after: Record<string, unknown> = { ...before };
  for (const key of OWNED) {
    if (wanted[key] === undefined) delete after[key];
    else after[key] = key === 'conditions' ? conditionsLike(before.conditions, wanted.conditions) : like(before[key], wanted[key]);
  }
  const patch = createStrategicPatch({ status: before }, { status: after });
  return (patch['status'] ?? {}) as StatusChanges;
}

/** The pod with a Ready condition of which nothing is believed, so that all of it becomes part of the changes. */
export function withDoubtfulReady(pod: Pod): Pod {
  const doubtful: PodCondition = { type: 'Ready', status: 'Unknown', reason: '?', message: '?' };
  const conditions = pod.status?.conditions?.map((condition) => (condition.type === 'Ready' ? doubtful : condition));
  return conditions ? { ...pod, status: { ...pod.status, conditions } } : pod;
}

/** The known value where it means the same as the wanted one: some API servers keep a null, some leave it out. */
function like(known: unknown, wanted: unknown): unknown {
  return meaning(known) === meaning(wanted) ? known : wanted;
}

/** The node's own as they are wanted; those of others as they are known: a copy of ours may be old. */
function conditionsLike(known: readonly PodCondition[] = [], wanted: readonly PodCondition[] = []): unknown[] {
  const own = wanted.filter(({ type }) => NODE_CONDITIONS.has(type));
  return [...own.map((condition) => like(known.find(({ type }) => type === condition.type), condition)), ...known.filter(({ type }) => !NODE_CONDITIONS.has(type))];
}

function meaning(value: unknown): string {
  return sortedJson(withoutNulls(value));
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value ?? undefined;
  return Object.fromEntries(Object.entries(value).flatMap(([key, member]) => (member === null ? [] : [[key, withoutNulls(member)]])));
}

/** The text that goes to the cloud: the uid guards against a later pod of the same name. */
export function podPatchText(uid: string, changes: StatusChanges): string {
  return sortedJson({ metadata: { uid }, status: changes });
}

/**
 * What an API server left out of a patch that it accepted: it does not know these members (servers before 1.24 know no
 * `hostIPs`, those before 1.30 no `volumeMounts`). Sending them again would change nothing, for ever.
 * @param sent changes of the patch that was answered with success
 * @param remaining changes that would still be needed after the answer
 */
export function refusedChanges(sent: StatusChanges, remaining: StatusChanges): StatusChanges {
  const refused: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(remaining)) {
    if (!key.startsWith('$') && key in sent && sortedJson(sent[key]) === sortedJson(value)) refused[key] = value;
  }
  return refused;
}

/** True when the changes hold something that was not refused before. */
export function isWorthSending(changes: StatusChanges, refused: StatusChanges): boolean {
  return Object.entries(changes).some(
    ([key, value]) => !key.startsWith('$') && !(key in refused && sortedJson(refused[key]) === sortedJson(value)),
  );
}
