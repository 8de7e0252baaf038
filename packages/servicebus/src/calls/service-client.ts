import type { IncomingMessage } from 'node:http';
import { errorCode, errorText } from '@edge/core';
import type { Share } from '../budget.js';
import { serviceBusError } from '../errors.js';
import { refusal, type AllowList } from './allow-list.js';
import type { CallAnswer, CallRequest } from './call-content.js';
import { Exchange } from './exchange.js';
import { answerHeaders, requestHeaders } from './headers.js';
import { isOwnAddress } from './own-address.js';
import { MAX_REDIRECTS, nextHop, type Hop } from './redirect.js';
import type { Target } from './target.js';

/** Bytes of an answer's body, as upstream, which cuts there without a word. */
export const MAX_ANSWER_BYTES = 5_000_000;

export interface ServiceClientDeps {
  readonly allowList: AllowList;
  /** For the whole call, redirects and body included. */
  readonly timeoutMs: number;
  /** `node`: redirects to other machines are refused. */
  readonly redirects: 'follow' | 'node';
}

/** Calls services on this node, by plain HTTP on the loopback. */
export class ServiceClient implements Disposable {
  readonly #deps: ServiceClientDeps;
  readonly #exchange = new Exchange();

  constructor(deps: ServiceClientDeps) {
    this.#deps = deps;
  }

  /**
   * One call with its redirects, from the request to the last byte of the answer.
   * @param share where the bytes of the answer are counted
   * @throws EdgeError `servicebus.not-allowed`, `servicebus.unreachable`, `servicebus.no-answer`, `servicebus.broken-answer`,
   *   `servicebus.answer-too-large`, `servicebus.busy`, `core.aborted`
   */
  async call(target: Target, request: CallRequest, share: Share, signal: AbortSignal): Promise<CallAnswer> {
    const { timeoutMs, allowList } = this.#deps;
    const refused = refusal(allowList, target);
    if (refused !== undefined) throw serviceBusError('servicebus.not-allowed', refused);
    const stop = new AbortController();
    const onAbort = (): void => stop.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    const timer = setTimeout(() => stop.abort(serviceBusError('servicebus.no-answer', `no answer within ${timeoutMs / 1000} s`)), timeoutMs);
    const hop: Hop = {
      url: new URL(`http://127.0.0.1:${target.port}${target.path}`), path: target.path,
      method: request.method, headers: requestHeaders(request.headers), body: request.body,
    };
    try {
      return await this.#follow(hop, share, stop.signal);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }

  [Symbol.dispose](): void {
    this.#exchange[Symbol.dispose]();
  }

  async #follow(first: Hop, share: Share, signal: AbortSignal): Promise<CallAnswer> {
    let hop = first;
    for (let redirects = 0; ; redirects += 1) {
      // The first one is judged already, by the path as it came.
      const admit = hop === first ? () => undefined : (url: URL, address: string): void => this.#admit(url, address);
      const { status, location, rawHeaders, body } = await this.#exchange.ask(hop, admit, signal);
      const next = nextHop(hop, status, location);
      if (next === undefined) return { status, headers: answerHeaders(rawHeaders), body: await readAll(body, share, signal) };
      body.destroy();
      if (redirects >= MAX_REDIRECTS) throw serviceBusError('servicebus.no-answer', `it redirected more than ${MAX_REDIRECTS} times`);
      hop = next;
    }
  }

  #admit(url: URL, address: string): void {
    const { allowList, redirects } = this.#deps;
    if (!isOwnAddress(address)) {
      if (redirects === 'follow') return;
      throw serviceBusError('servicebus.not-allowed', `it redirects to ${url.host}, which is not this node, and edge.serviceBus.redirects is node`);
    }
    const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
    const refused = refusal(allowList, { port, path: url.pathname });
    if (refused !== undefined) throw serviceBusError('servicebus.not-allowed', `it redirects to where rules may not go: ${refused}`);
  }
}

async function readAll(body: IncomingMessage, share: Share, signal: AbortSignal): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > MAX_ANSWER_BYTES) throw serviceBusError('servicebus.answer-too-large', `the answer has more than ${MAX_ANSWER_BYTES} bytes`);
      share.add(chunk.length);
      chunks.push(chunk);
    }
  } catch (error) {
    body.destroy();
    if (signal.aborted) throw signal.reason;
    if (errorCode(error).startsWith('servicebus.')) throw error;
    throw serviceBusError('servicebus.broken-answer', `error to receive response, err: ${errorText(error)}`, error);
  }
  return Buffer.concat(chunks);
}
