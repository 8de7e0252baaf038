import { errorText, type Logger } from '@edge/core';
import { Operations, ResourceTypes, type Pod } from '@edge/protocol';
import type { MetaClient } from '../apply/meta-client.js';
import { eventObject, type PodEvent } from '../plan/event.js';

/** Tells the cloud what happens to pods, when `reportEvent` is on; the log hears of it in any case. */
export class PodEvents {
  readonly #meta: MetaClient;
  readonly #report: boolean;
  readonly #nodeName: string;
  readonly #log: Logger;
  #sequence = 0;

  constructor(deps: { meta: MetaClient; report: boolean; nodeName: string; log: Logger }) {
    this.#meta = deps.meta;
    this.#report = deps.report;
    this.#nodeName = deps.nodeName;
    this.#log = deps.log;
  }

  /** Says it; never fails and never waits, because no pod may depend on it. */
  say(pod: Pod, event: PodEvent): void {
    const fields = { pod: `${pod.metadata.namespace}/${pod.metadata.name}`, reason: event.reason, about: event.fieldPath ?? '' };
    if (event.type === 'Warning') this.#log.warn(event.message, fields);
    else this.#log.verbose(1, event.message, fields);
    if (!this.#report) return;
    this.#sequence = (this.#sequence + 1) % 0x10000;
    const object = eventObject(pod, event, this.#nodeName, Date.now(), this.#sequence);
    const resource = `${object.metadata.namespace}/${ResourceTypes.event}/${object.metadata.name}`;
    this.#meta
      .send(Operations.insert, resource, object)
      .catch((error: unknown) => this.#log.verbose(1, 'event not sent', { ...fields, err: errorText(error) }));
  }
}
