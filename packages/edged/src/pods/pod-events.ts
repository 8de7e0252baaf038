import { errorText, type Logger } from '@edge/core';
import { Operations, ResourceTypes, type Pod } from '@edge/protocol';
import type { MetaClient } from '../apply/meta-client.js';
import { eventName, eventObject, type PodEvent } from '../plan/event.js';
import { sortedJson } from '../plan/sorted-json.js';
import { seconds } from '../plan/time.js';
import { EventMemory } from './event-memory.js';

/**
 * Tells the cloud what happens to pods, when `reportEvent` is on, and the log in any case. What happens again and again
 * is told ever less often, as a higher count of the same event.
 */
export class PodEvents {
  readonly #meta: MetaClient;
  readonly #report: boolean;
  readonly #nodeName: string;
  readonly #log: Logger;
  readonly #memory = new EventMemory();
  #sequence = 0;

  constructor(deps: { meta: MetaClient; report: boolean; nodeName: string; log: Logger }) {
    this.#meta = deps.meta;
    this.#report = deps.report;
    this.#nodeName = deps.nodeName;
    this.#log = deps.log;
  }

  /** Says it; never fails and never waits, because no pod may depend on it. */
  say(pod: Pod, event: PodEvent): void {
    const now = Date.now();
    this.#sequence = (this.#sequence + 1) % 0x10000;
    const told = this.#memory.note(pod, event, eventName(pod, now, this.#sequence), now);
    if (!told) return;
    const fields = { pod: `${pod.metadata.namespace}/${pod.metadata.name}`, reason: event.reason, about: event.fieldPath ?? '', ...(told.count > 1 ? { times: told.count } : {}) };
    if (event.type === 'Warning') this.#log.warn(event.message, fields);
    else this.#log.verbose(1, event.message, fields);
    if (!this.#report) return;
    const object = eventObject(pod, event, this.#nodeName, { ...told, last: now });
    const resource = `${object.metadata.namespace}/${ResourceTypes.event}/${told.name}`;
    const patch = { event: object, patchData: sortedJson({ count: told.count, lastTimestamp: seconds(now) }) };
    this.#meta
      .send(told.isNew ? Operations.insert : Operations.patch, resource, told.isNew ? object : patch)
      .catch((error: unknown) => this.#log.verbose(1, 'event not sent', { ...fields, err: errorText(error) }));
  }
}
