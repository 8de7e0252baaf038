import { errorText, type Logger, type MessageBus, type NodeIdentity } from '@edge/core';
import { createErrorResponse, createResponse, Modules, OK, resourceTopic, type Message } from '@edge/protocol';
import { readQuestion, readStateUpdate } from '../decode/requests.js';
import type { Admission } from '../devices/admission.js';
import type { DeviceBook } from '../devices/device-book.js';
import type { Publisher } from '../devices/publisher.js';
import type { Turns } from '../devices/turns.js';
import { errorPayload, membershipPayload, wholeTwinPayload } from '../model/payloads.js';
import type { Reports } from '../reports.js';
import { deviceTopic, nodeTopic, readTopic, type ClientRequest } from '../topics.js';

export interface ClientsDeps {
  readonly book: DeviceBook;
  readonly reports: Reports;
  readonly turns: Turns;
  readonly admission: Admission;
  readonly publisher: Publisher;
  readonly bus: MessageBus;
  readonly identity: NodeIdentity;
  readonly log: Logger;
}

/** Names of the turns of what is about no device. */
const NODE_TURN = '';

/**
 * What clients of MQTT ask. Whoever waits for the answer of a message gets it when the request is done: stored and answered
 * on MQTT, or refused there. Only what may go better another time is answered with an error.
 */
export class Clients {
  readonly #deps: ClientsDeps;
  readonly #said = new Set<string>();
  #storageFails = false;

  constructor(deps: ClientsDeps) {
    this.#deps = deps;
  }

  /** Plans inside the call unless too many requests are under way; then the lane waits. */
  handle(payload: string, message: Message): void | Promise<void> {
    const topic = resourceTopic(message.route.resource) ?? '';
    const request = readTopic(topic);
    if (request === undefined || request.kind === 'reserved') {
      this.#ignore(topic, request);
      this.#answer(message);
      return undefined;
    }
    return this.#deps.admission.admit(async () => {
      try {
        await this.#perform(request, payload);
        this.#answer(message);
        this.#storage(undefined);
      } catch (error) {
        this.#storage(error);
        if (this.#deps.bus.awaited(message.header.id)) this.#deps.bus.respond(createErrorResponse(message, errorText(error), { source: Modules.deviceTwin }));
      }
    });
  }

  #perform(request: Exclude<ClientRequest, { kind: 'reserved' }>, payload: string): Promise<unknown> {
    switch (request.kind) {
      case 'twinUpdate':
        return this.#deps.reports.twinPayload(request.deviceId, payload);
      case 'stateUpdate':
        return this.#updateState(request.deviceId, payload);
      case 'twinGet':
        return this.#getTwin(request.deviceId, payload);
      case 'membershipGet':
        return this.#getMembership(payload);
    }
  }

  #updateState(deviceId: string, payload: string): Promise<unknown> {
    const { reports } = this.#deps;
    let update: { readonly eventId: string; readonly state: string };
    try {
      update = readStateUpdate(payload);
    } catch (error) {
      return reports.refuse(deviceId, deviceTopic.stateResult(deviceId), '', { code: 400, reason: `the state could not be read: ${errorText(error)}` });
    }
    return reports.updateState(deviceId, update.state, update.eventId);
  }

  #getTwin(deviceId: string, payload: string): Promise<unknown> {
    const { book, turns, publisher } = this.#deps;
    const result = (): string => {
      const now = Date.now();
      const question = readOr(payload);
      if ('error' in question) return errorPayload({ eventId: '', now }, 400, `Unmarshal twin info ${payload} failed , err: ${question.error}`);
      const device = book.get(deviceId);
      return device === undefined
        ? errorPayload({ eventId: question.eventId, now }, 404, `Device ${deviceId} not found while getting twin`)
        : wholeTwinPayload({ eventId: question.eventId, now }, device);
    };
    const text = result();
    // In turn, so that what the answer shows is on the disk.
    return turns.take(deviceId, Promise.resolve(), () => publisher.publish(deviceTopic.getResult(deviceId), text));
  }

  #getMembership(payload: string): Promise<unknown> {
    const { book, turns, publisher, identity } = this.#deps;
    const now = Date.now();
    const question = readOr(payload);
    const text =
      'error' in question
        ? errorPayload({ eventId: '', now }, 400, `Unmarshal get membership info ${payload} failed , err: ${question.error}`)
        : membershipPayload({ eventId: question.eventId, now }, book.all);
    return turns.take(NODE_TURN, book.flush(), () => publisher.publish(nodeTopic.membershipGetResult(identity.name), text));
  }

  /** Only the cloud may say what the cloud says; clients know no other topics. */
  #ignore(topic: string, request: ClientRequest | undefined): void {
    const kind = request ? topic.replace(/^(\$hw\/events\/[^/]+)\/.*\/([^/]+\/[^/]+)$/, '$1/…/$2') : 'others';
    if (this.#said.has(kind) || this.#said.size > 20) return;
    this.#said.add(kind);
    const text = request ? 'a local client has published what only the cloud may say; refused (said once per topic)' : 'a topic that means nothing to the device twin ignored (said once)';
    this.#deps.log.warn(text, { topic: topic.slice(0, 200) });
  }

  #answer(message: Message): void {
    if (this.#deps.bus.awaited(message.header.id)) this.#deps.bus.respond(createResponse(message, OK, { source: Modules.deviceTwin }));
  }

  #storage(error: unknown): void {
    if (error !== undefined && !this.#storageFails) this.#deps.log.error('reports of devices are not stored (said once until they are again)', { err: errorText(error) });
    if (error === undefined && this.#storageFails) this.#deps.log.info('reports of devices are stored again');
    this.#storageFails = error !== undefined;
  }
}

function readOr(payload: string): { readonly eventId: string } | { readonly error: string } {
  try {
    return readQuestion(payload);
  } catch (error) {
    return { error: errorText(error) };
  }
}
