import type { ApiError } from '@edge/kubeapi';
import { errorCode, errorText, type CloudLink, type MessageBus, type NodeIdentity } from '@edge/core';
import { Groups, isFields, Operations, type Message } from '@edge/protocol';
import { metaServerError, OFFLINE } from '../errors.js';
import { applicationMessage, newApplication, verdictOf, watchSyncMessage, type Application, type ApplicationRequest } from './application.js';
import { refusalOf } from './refusal.js';

/** Upstream's patience. */
const PATIENCE_MS = 10_000;

/** The way to the cloud's API. Who asks for the same at the same time shares one answer. */
export class CloudApi {
  readonly #bus: MessageBus;
  readonly #link: CloudLink;
  readonly #node: string;
  readonly #patienceMs: number;
  readonly #running = new Map<string, Promise<string | undefined>>();

  constructor(deps: { bus: MessageBus; link: CloudLink; identity: NodeIdentity; patienceMs?: number }) {
    this.#bus = deps.bus;
    this.#link = deps.link;
    this.#node = deps.identity.name;
    this.#patienceMs = deps.patienceMs ?? PATIENCE_MS;
  }

  /** Name of this node. */
  get node(): string {
    return this.#node;
  }

  get connected(): boolean {
    return this.#link.value.connected;
  }

  get session(): number {
    return this.#link.value.session;
  }

  application(request: ApplicationRequest): Application {
    return newApplication(this.#node, request);
  }

  /**
   * @param isShared false for a read that must not take the answer to an earlier question
   * @returns the text of the answer, undefined for an approval without one
   * @throws ApiError what the cloud refused, with its Status; EdgeError `metaserver.offline`, `metaserver.silent`, `metaserver.malformed`
   */
  ask(request: ApplicationRequest, isShared = true): Promise<string | undefined> {
    const application = this.application(request);
    const id = `${this.session} ${application.ID}`;
    // A write is never shared: two clients that send the same create are told apart by the API.
    const isRead = isShared && (request.verb === 'get' || request.verb === 'list');
    // What is read after a write, or after a listener was registered, must not have been asked before it.
    if (!isRead) this.#running.clear();
    const running = isRead ? this.#running.get(id) : undefined;
    if (running) return running;
    const asked = this.#ask(application).finally(() => {
      // A read that was asked while the change was under way may not have seen it.
      if (!isRead) this.#running.clear();
      else if (this.#running.get(id) === asked) this.#running.delete(id);
    });
    if (isRead) this.#running.set(id, asked);
    return asked;
  }

  /**
   * Brings the cloud's listeners in step with what the node follows.
   * @returns those that the cloud refused, by id
   * @throws EdgeError as `ask`
   */
  async sync(applications: readonly Application[]): Promise<ReadonlyMap<string, ApiError>> {
    const { content } = await this.#request(watchSyncMessage(applications), 'the watches of this node');
    const refused = new Map<string, ApiError>();
    for (const [id, given] of Object.entries(isFields(content) ? content : {})) {
      const verdict = verdictOf(given);
      if (verdict.kind === 'rejected') refused.set(id, refusalOf(verdict.status, verdict.reason));
    }
    return refused;
  }

  async #ask(application: Application): Promise<string | undefined> {
    const what = `${application.Verb} ${application.Key}`;
    const answer = await this.#request(applicationMessage(application), what);
    const verdict = verdictOf(answer.content);
    if (verdict.kind === 'approved') return verdict.body;
    if (verdict.kind === 'rejected') throw refusalOf(verdict.status, verdict.reason);
    throw metaServerError('metaserver.malformed', `the cloud's answer to ${what} is none: ${verdict.why}`);
  }

  async #request(message: Message, what: string): Promise<Message> {
    if (!this.connected) throw metaServerError('metaserver.offline', OFFLINE);
    let answer: Message;
    try {
      answer = await this.#bus.request({ group: Groups.hub }, message, { timeoutMs: this.#patienceMs });
    } catch (error) {
      if (errorCode(error) === 'bus.timeout') throw metaServerError('metaserver.silent', `the cloud did not answer to ${what} within ${this.#patienceMs / 1000} s`, error);
      throw metaServerError('metaserver.offline', `the cloud could not be asked: ${errorText(error)}`, error);
    }
    if (answer.route.operation === Operations.error) {
      throw metaServerError('metaserver.offline', `the cloud could not be asked: ${typeof answer.content === 'string' ? answer.content : 'the link broke'}`);
    }
    return answer;
  }
}

/** True when the cloud did not answer, as opposed to an answer that says no. */
export function isOutage(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'metaserver.offline' || code === 'metaserver.silent' || code === 'metaserver.malformed';
}
