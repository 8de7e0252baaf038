import { readFileSync } from 'node:fs';
import { decodeMessage, type Message } from '@edge/protocol';

/** One message of a recording. */
export interface Recorded {
  readonly toEdge: boolean;
  readonly message: Message;
}

/** The messages on the link in a recording between a Go agent and CloudCore, in order. */
export function readRecording(name: string): Recorded[] {
  const lines = readFileSync(new URL(`./fixtures/${name}.jsonl`, import.meta.url), 'utf8').trim().split('\n');
  return lines.map((line) => {
    const { dir, text } = JSON.parse(line) as { dir: string; text: string };
    return { toEdge: dir === 'cloud->edge', message: decodeMessage(text) };
  });
}

/** Members that differ by nature: names given by the server, times, bookkeeping of who wrote what. */
const PLACEHOLDERS: Readonly<Record<string, string>> = { uid: '<uid>', resourceVersion: '<version>', cloudcore: '<address>', token: '<token>' };

/**
 * The documented differences to what a kube-apiserver 1.20 stored:
 * - no managedFields (`docs/parity/minicloud.md`, 6) and no nulls, which a Go reader cannot tell from absent members
 * - `generation` on pods, the default service account in every pod (the recorded cluster ran without that plug-in)
 * - no annotation of the TTL controller
 * - `hostIPs` and the mounts in container statuses are kept; the recorded API server did not know them
 */
const LEFT_OUT = ['managedFields', 'generation', 'serviceAccount', 'serviceAccountName', 'node.alpha.kubernetes.io/ttl', 'hostIPs'];

/** Makes contents of two clouds comparable. */
export function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value === 'string') return value.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>');
  if (typeof value !== 'object' || value === null) return value;
  if ('containerID' in value || 'imageID' in value) value = { ...value, volumeMounts: null };
  const kept = Object.entries(value as object).filter(([key, inner]) => !LEFT_OUT.includes(key) && inner !== null);
  return Object.fromEntries(kept.map(([key, inner]) => [key, PLACEHOLDERS[key] !== undefined && typeof inner === 'string' ? PLACEHOLDERS[key] : comparable(inner)]));
}

/** Header members, route and content of a message, comparable. Members of the header count by being there. */
export function shapeOf(message: Message): object {
  return { header: Object.keys(message.header).sort(), route: message.route, content: comparable(message.content) };
}

/** Notes which of our names stand for the recorded ones, wherever both messages have them. */
export function learnNames(recorded: unknown, ours: unknown, names: Map<string, string>): void {
  if (typeof recorded !== 'object' || recorded === null || typeof ours !== 'object' || ours === null) return;
  for (const [key, theirs] of Object.entries(recorded)) {
    const mine = (ours as Record<string, unknown>)[key];
    if (key === 'uid' && typeof theirs === 'string' && typeof mine === 'string') names.set(theirs, mine);
    else learnNames(theirs, mine, names);
  }
}

/** A recorded content with our names in it. */
export function translate(content: unknown, names: ReadonlyMap<string, string>): unknown {
  let text = JSON.stringify(content);
  for (const [theirs, mine] of names) text = text.replaceAll(theirs, mine);
  return JSON.parse(text) as unknown;
}
