import { request as httpRequest, type IncomingMessage } from 'node:http';
import { errorText, type MessageBus } from '@edge/core';
import { ApiError } from '@edge/kubeapi';
import { createMessage, Groups, isFields, Modules, Operations, Sources, type Message } from '@edge/protocol';

const PATIENCE_MS = 10_000;

/** Where edged's local kubelet API is. */
export interface KubeletEndpoint {
  readonly host: string;
  readonly port: number;
  /** Shown as `Authorization: Bearer …`. */
  readonly token?: string;
}

/** The way to edged: to its local kubelet API for streams, by message for the rest. */
export class Kubelet {
  readonly #bus: MessageBus;

  constructor(deps: { bus: MessageBus }) {
    this.#bus = deps.bus;
  }

  /** @throws ApiError ServiceUnavailable while that API is off, or pods are not looked after on this node */
  async endpoint(signal?: AbortSignal): Promise<KubeletEndpoint> {
    const content = await this.ask(Operations.get, 'kubelet/endpoint', undefined, PATIENCE_MS, signal);
    if (!isFields(content) || typeof content.host !== 'string' || typeof content.port !== 'number') throw unavailable('it does not say where its local kubelet API is');
    return { host: content.host, port: content.port, ...(typeof content.token === 'string' ? { token: content.token } : {}) };
  }

  /**
   * Asks edged by message.
   * @returns content of the answer
   * @throws ApiError ServiceUnavailable with edged's words when it fails or is not there
   */
  async ask(operation: string, resource: string, content: unknown, timeoutMs: number, signal?: AbortSignal): Promise<unknown> {
    const question = createMessage({ source: Sources.metaServer, group: Groups.edged, operation, resource, content });
    let answer;
    try {
      answer = await this.#bus.request({ module: Modules.edged }, question, { timeoutMs, ...(signal === undefined ? {} : { signal }) });
    } catch (error) {
      throw unavailable(errorText(error), error);
    }
    if (answer.route.operation === Operations.error) throw unavailable(typeof answer.content === 'string' ? answer.content : 'it failed');
    return answer.content;
  }

  /** @throws ApiError ServiceUnavailable when edged is not there */
  async tell(message: Message): Promise<void> {
    try {
      await this.#bus.send({ module: Modules.edged }, message);
    } catch (error) {
      throw unavailable(errorText(error), error);
    }
  }

  /**
   * A GET to the local kubelet API; resolves with the head of its answer.
   * @param signal ends the request, and the answer where it still flows
   */
  async get(path: string, signal: AbortSignal): Promise<IncomingMessage> {
    const { host, port, token } = await this.endpoint(signal);
    return new Promise((resolve, reject) => {
      const asked = httpRequest({ host, port, path, agent: false, signal, headers: token === undefined ? {} : { Authorization: `Bearer ${token}` } }, resolve);
      asked.on('error', (error) => reject(unavailable(errorText(error), error)));
      asked.end();
    });
  }
}

function unavailable(why: string, cause?: unknown): ApiError {
  return new ApiError('ServiceUnavailable', `the part of the agent that runs pods (edged) cannot do this now: ${why}`, {}, { cause });
}
