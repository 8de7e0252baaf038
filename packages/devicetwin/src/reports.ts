import { randomUUID } from 'node:crypto';
import { isRefusal, readTwinUpdate, refusedTwins, type Refusal, type TwinUpdateRequest } from './decode/requests.js';
import { Reasons } from './decode/values.js';
import type { DeviceTwinConfig } from './config.js';
import type { Admission } from './devices/admission.js';
import type { DeviceBook } from './devices/device-book.js';
import type { Publisher } from './devices/publisher.js';
import type { Turns } from './devices/turns.js';
import { deltaPayload, documentPayload, errorPayload, statePayload, twinPayload } from './model/payloads.js';
import { planReport } from './plan/plan-report.js';
import { isOnline, planState } from './plan/plan-state.js';
import type { CloudSync } from './sync/cloud-sync.js';
import { deviceTopic } from './topics.js';

/** What came of a report. `refused` has the reason that the client was given; nothing of it was stored. */
export type ReportOutcome = { readonly kind: 'done' } | { readonly kind: 'refused'; readonly code: number; readonly reason: string };

/** One property of a twin as a client reports it. Absent sides stay as they are. */
export interface ReportedProperty {
  readonly expected?: { readonly value: string };
  readonly actual?: { readonly value: string };
}

/**
 * The one way in for reports about devices, whether they came by MQTT or from a mapper. A promise resolves when the
 * report is on the disk and its results are published; reports of one device are handled in the order of the calls.
 * It rejects with `devicetwin.storage` when the report could not be stored and may be made again.
 */
export interface DeviceReports {
  /** @param deviceId `NAMESPACE/NAME` */
  reportTwin(deviceId: string, properties: Readonly<Record<string, ReportedProperty>>): Promise<ReportOutcome>;
  reportState(deviceId: string, state: string): Promise<ReportOutcome>;
}

export interface ReportsDeps {
  readonly config: DeviceTwinConfig;
  readonly book: DeviceBook;
  readonly turns: Turns;
  readonly admission: Admission;
  readonly publisher: Publisher;
  readonly sync: CloudSync;
}

const DONE: ReportOutcome = { kind: 'done' };
const AT_ONCE: Promise<void> = Promise.resolve();
const LONGEST_STATE = 256;

/** Reports: planned at once on what stands in memory, committed in groups, answered in order. */
export class Reports implements DeviceReports {
  readonly #deps: ReportsDeps;
  /** The last time online of each device that reports itself online more often than is worth storing. */
  readonly #lastSeen = new Map<string, string>();

  constructor(deps: ReportsDeps) {
    this.#deps = deps;
  }

  reportTwin(deviceId: string, properties: Readonly<Record<string, ReportedProperty>>): Promise<ReportOutcome> {
    const twins = new Map(Object.entries(properties));
    const reason = refusedTwins(twins, this.#deps.config.anyValue);
    return this.#deps.admission.run(() => this.updateTwin(this.#known(deviceId), reason === undefined ? { eventId: '', twins } : { code: 400, reason }));
  }

  reportState(deviceId: string, state: string): Promise<ReportOutcome> {
    return this.#deps.admission.run(() => this.updateState(this.#known(deviceId), state, ''));
  }

  /** The payload of `twin/update`. Plans inside the call. */
  twinPayload(deviceId: string, payload: string): Promise<ReportOutcome> {
    return this.updateTwin(deviceId, readTwinUpdate(payload, this.#deps.config.anyValue));
  }

  /** Plans inside the call. */
  updateTwin(deviceId: string, request: TwinUpdateRequest | Refusal): Promise<ReportOutcome> {
    const { book, turns, publisher, sync, config } = this.#deps;
    // What could not be read has no device and no event: so upstream answers, and programs listen there.
    if (isRefusal(request)) return this.refuse(deviceId, deviceTopic.updateResult(''), '', request);
    const topic = deviceTopic.updateResult(deviceId);
    const device = book.get(deviceId);
    if (device === undefined) return this.refuse(deviceId, topic, request.eventId, { code: 404, reason: Reasons.noDevice });
    const stamp = { eventId: request.eventId, now: Date.now() };
    const plan = planReport(device, request.twins, { now: stamp.now, skipUnchanged: config.skipUnchanged });
    if (isRefusal(plan)) return this.refuse(deviceId, topic, request.eventId, plan);
    const durable = plan.changed.length === 0 ? AT_ONCE : book.write(plan.next, { twins: plan.changed });
    return turns.take(deviceId, durable, async (failure) => {
      if (failure) return this.#failed(topic, request.eventId, failure);
      await publisher.publish(topic, twinPayload(stamp, plan.result));
      if (plan.document.size > 0) await publisher.publish(deviceTopic.document(deviceId), documentPayload(stamp, plan.document));
      const delta = deltaPayload(() => ({ eventId: randomUUID(), now: Date.now() }), plan.next);
      if (delta !== undefined) await publisher.publish(deviceTopic.delta(deviceId), delta);
      if (plan.changed.length > 0) sync.twinChanged(deviceId, plan.touched);
      return DONE;
    });
  }

  /** Plans inside the call. */
  updateState(deviceId: string, state: string, eventId: string): Promise<ReportOutcome> {
    const { book, turns, publisher, sync, config } = this.#deps;
    const topic = deviceTopic.stateResult(deviceId);
    const device = book.get(deviceId);
    if (device === undefined) return this.refuse(deviceId, topic, eventId, { code: 404, reason: Reasons.noDevice });
    if (state === '' || state.length > LONGEST_STATE) {
      const reason = state === '' ? 'the state is missing; give "state":"online", "offline", or another word' : `the state has ${state.length} letters, it may have ${LONGEST_STATE}`;
      return this.refuse(deviceId, topic, eventId, { code: 400, reason });
    }
    const plan = planState(device, state, this.#lastSeen.get(deviceId) ?? device.lastOnline, { now: Date.now(), skipUnchanged: config.skipUnchanged });
    if (isOnline(state)) this.#lastSeen.set(deviceId, plan.shown.lastOnline);
    const durable = plan.changed ? book.write(plan.next, { device: true }) : AT_ONCE;
    return turns.take(deviceId, durable, async (failure) => {
      if (failure) return this.#failed(topic, eventId, failure);
      const text = statePayload({ eventId: randomUUID(), now: Date.now() }, plan.shown);
      await publisher.publish(topic, text);
      if (plan.changed) sync.stateChanged(deviceId, text);
      return DONE;
    });
  }

  /** Publishes why, in turn. */
  refuse(deviceId: string, topic: string, eventId: string, refusal: Refusal): Promise<ReportOutcome> {
    return this.#deps.turns.take(deviceId, AT_ONCE, async () => {
      await this.#deps.publisher.publish(topic, errorPayload({ eventId, now: Date.now() }, refusal.code, refusal.reason));
      return { kind: 'refused', ...refusal };
    });
  }

  forget(deviceId: string): void {
    this.#lastSeen.delete(deviceId);
  }

  async #failed(topic: string, eventId: string, failure: Error): Promise<never> {
    await this.#deps.publisher.publish(topic, errorPayload({ eventId, now: Date.now() }, 500, failure.message));
    throw failure;
  }

  /** Clouds up to v1.15 name devices without their namespace. */
  #known(deviceId: string): string {
    const { book } = this.#deps;
    const name = deviceId.slice(deviceId.indexOf('/') + 1);
    return !book.has(deviceId) && book.has(name) ? name : deviceId;
  }
}
