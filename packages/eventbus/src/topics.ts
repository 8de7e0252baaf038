/**
 * Topics of MQTT and what they mean to the agent. Pure.
 * Source: MQTT 3.1.1, section 4.7; KubeEdge v1.23 for the static list.
 */

/** What the agent always listens to. */
export const STATIC_TOPICS: readonly string[] = [
  '$hw/events/upload/#',
  '$hw/events/device/+/+/state/update',
  '$hw/events/device/+/+/twin/+',
  '$hw/events/node/+/membership/get',
  'SYS/dis/upload_records',
  '+/user/#',
];

/** More levels than any sensible topic has; deeper filters cost memory and stack. */
export const MAX_LEVELS = 128;

const MAX_BYTES = 65_535;

/** True when a topic can be subscribed to: `+` and `#` stand alone in their level, `#` is the last one. */
export function isFilter(filter: string): boolean {
  if (!isText(filter)) return false;
  const levels = filter.split('/');
  return levels.length <= MAX_LEVELS && levels.every((level, at) => (level === '#' ? at === levels.length - 1 : level === '+' || !/[+#]/.test(level)));
}

/** True when a topic can be published to at any broker. */
export function isTopic(topic: string): boolean {
  return isText(topic) && !/[+#]/.test(topic);
}

/** True when the characters fit into a topic; one with wildcards included. */
export function isText(text: string): boolean {
  return text.length > 0 && !text.includes('\0') && (text.length * 3 <= MAX_BYTES || Buffer.byteLength(text) <= MAX_BYTES);
}

/** True when a message to `topic` is for a subscription to `filter`. A wildcard in front does not stand for a level that begins with `$`. */
export function topicMatches(filter: string, topic: string): boolean {
  if (topic.startsWith('$') && (filter.startsWith('+') || filter.startsWith('#'))) return false;
  const wanted = filter.split('/');
  const levels = topic.split('/');
  for (const [at, want] of wanted.entries()) {
    if (want === '#') return true;
    if (at >= levels.length || (want !== '+' && want !== levels[at])) return false;
  }
  return wanted.length === levels.length;
}

/** True when everything that `inner` is for, `outer` is for too. */
export function filterCovers(outer: string, inner: string): boolean {
  if (inner.startsWith('$') && (outer.startsWith('+') || outer.startsWith('#'))) return false;
  const wide = outer.split('/');
  const narrow = inner.split('/');
  for (const [at, want] of wide.entries()) {
    if (want === '#') return true;
    if (at >= narrow.length || narrow[at] === '#' || (want !== '+' && want !== narrow[at])) return false;
  }
  return wide.length === narrow.length;
}

/** True when there is a topic that both filters are for. */
export function filtersMeet(one: string, other: string): boolean {
  const wildcard = /^[+#]/;
  if ((one.startsWith('$') && wildcard.test(other)) || (other.startsWith('$') && wildcard.test(one))) return false;
  const [left, right] = [one.split('/'), other.split('/')];
  for (let at = 0; at < left.length || at < right.length; at += 1) {
    const [here, there] = [left[at], right[at]];
    if (here === '#' || there === '#') return true;
    if (here === undefined || there === undefined) return false;
    if (here !== there && here !== '+' && there !== '+') return false;
  }
  return true;
}

/**
 * Where a message of a local client goes. `refused`: the notice that the cloud has changed a twin comes from the cloud alone.
 */
export type Destination = 'twin' | 'cloud' | 'refused';

const FOR_TWIN = /^\$hw\/events\/(device|node)(\/|$)/;
const OF_THE_CLOUD = /^\$hw\/events\/device\/[^/]*\/[^/]*\/twin\/cloud_updated$/;

/** Decides by the topic alone. */
export function destinationOf(topic: string): Destination {
  if (OF_THE_CLOUD.test(topic)) return 'refused';
  return FOR_TWIN.test(topic) ? 'twin' : 'cloud';
}
