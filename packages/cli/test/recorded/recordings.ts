import { readFileSync } from 'node:fs';
import type { Message, Pod } from '@edge/protocol';
import { readCapture, type CaptureStep } from '@edge/testing';

export type RecordingName =
  | '01-join-ready-pod'
  | '03-configmap-update'
  | '04-pod-delete'
  | '05-device'
  | '06-rules'
  | '07-metaserver'
  | '08-image-prepull'
  | '10-restart-with-certs'
  | '13-projected-token'
  | '14-cloud-restart-resync'
  | '15-link-cut-resync'
  | '16-dmi'
  | '17-node-jobs';

/** The cut itself is not in this recording; it had lasted for so long when the link was open again. */
const CUT_MS = 30_000;

/** The steps of a recording between CloudCore v1.23.1 and the Go EdgeCore v1.23.1. */
export function readRecording(name: RecordingName): CaptureStep[] {
  const steps = readCapture(readFileSync(new URL(`../fixtures/captures/${name}.jsonl`, import.meta.url), 'utf8'));
  const [first] = steps;
  return name === '15-link-cut-resync' && first ? [{ kind: 'close', at: first.at - CUT_MS }, ...steps] : steps;
}

export const edgeMessages = (steps: readonly CaptureStep[]): { message: Message; text: string }[] =>
  steps.flatMap((step) => (step.kind === 'edge' ? [{ message: step.message, text: step.text }] : []));

export const cloudMessages = (steps: readonly CaptureStep[]): Message[] => steps.flatMap((step) => (step.kind === 'cloud' ? [step.message] : []));

/** A frame without what is another text in each run: its id and its time. */
export const frame = (text: string): string => text.replace(/"msg_id":"[^"]+"/, '').replace(/"timestamp":\d+/, '').trim();

/** Type part of a resource: `pod` in `default/pod/p1`. */
export const typeOf = ({ route }: Message): string => route.resource.split('/')[1] ?? '';

/** The object that a message of the cloud is about: its content, or the member `Object` of an answer. */
export function objectIn<T extends object>({ content }: Message): T | undefined {
  if (typeof content !== 'object' || content === null) return undefined;
  if ('Err' in content) return ((content as { Object?: T | null; Err: unknown }).Err === null && (content as { Object?: T | null }).Object) || undefined;
  return content as T;
}

/** The pod in a message of the cloud about pods. */
export function podIn(message: Message): Pod | undefined {
  return typeOf(message) === 'pod' || typeOf(message) === 'podpatch' ? podOrNothing(objectIn<Pod>(message)) : undefined;
}

function podOrNothing(pod: Pod | undefined): Pod | undefined {
  return pod?.metadata?.uid === undefined || pod.spec?.containers === undefined ? undefined : pod;
}

/** The value at a path of member names and indexes. */
export function lookUp(value: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((at, key) => (typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[key] : undefined), value);
}

/** A copy without the members at these paths. */
export function without(value: unknown, ...paths: readonly string[]): unknown {
  return edited(value, paths, (parent, key) => void delete parent[key]);
}

/** A copy in which the texts at these paths have the expression replaced. */
export function words(value: unknown, changes: Readonly<Record<string, readonly [RegExp, string]>>): unknown {
  return edited(value, Object.keys(changes), (parent, key, path) => {
    const [pattern, word] = changes[path] as readonly [RegExp, string];
    const text = parent[key];
    if (typeof text === 'string') parent[key] = text.replace(pattern, word);
  });
}

function edited(value: unknown, paths: readonly string[], edit: (parent: Record<string, unknown>, key: string, path: string) => void): unknown {
  const copy = structuredClone(value);
  for (const path of paths) {
    const at = path.lastIndexOf('.');
    const parent = at < 0 ? copy : lookUp(copy, path.slice(0, at));
    if (typeof parent === 'object' && parent !== null) edit(parent as Record<string, unknown>, path.slice(at + 1), path);
  }
  return copy;
}
