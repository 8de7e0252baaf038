import { type Logger, errorText } from '@edge/core';
import { timestamp } from '@edge/protocol';
import type { Clients } from '../objects.js';

interface Subject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly uid: string; readonly resourceVersion: string };
}

/** Writes what people see at the end of `kubectl describe`. Losing an event does no harm, so nobody waits for it. */
export class EventRecorder {
  readonly #events: Clients['events'];
  readonly #log: Logger;
  readonly #now: () => number;
  #count = 0;

  constructor(deps: { events: Clients['events']; log: Logger; now: () => number }) {
    this.#events = deps.events;
    this.#log = deps.log;
    this.#now = deps.now;
  }

  record(component: string, about: Subject, type: 'Normal' | 'Warning', reason: string, message: string): void {
    const now = this.#now();
    const at = timestamp(now);
    const namespace = about.metadata.namespace ?? 'default';
    this.#count += 1;
    this.#events.create({
      apiVersion: 'v1', kind: 'Event',
      metadata: { name: `${about.metadata.name}.${now.toString(16)}${this.#count.toString(16)}`, namespace },
      involvedObject: {
        kind: about.kind, apiVersion: about.apiVersion, name: about.metadata.name, namespace, uid: about.metadata.uid, resourceVersion: about.metadata.resourceVersion,
      },
      reason, message, type, source: { component }, firstTimestamp: at, lastTimestamp: at, count: 1, eventTime: null, reportingComponent: '', reportingInstance: '',
    }).catch((error: unknown) => this.#log.verbose(2, 'an event was not written', { err: errorText(error) }));
  }
}
