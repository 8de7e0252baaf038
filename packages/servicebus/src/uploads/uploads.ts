import { isUtf8 } from 'node:buffer';
import { Complaints, errorCode, errorText, type CloudLink, type Logger, type MessageBus } from '@edge/core';
import { createMessage, encodeJson, Groups, isFields, Modules, Operations } from '@edge/protocol';
import { told, type Result } from './result.js';
import type { TargetUrls } from './target-urls.js';

export interface UploadsDeps {
  readonly urls: TargetUrls;
  readonly bus: MessageBus;
  readonly link: CloudLink;
  readonly log: Logger;
  /** How long the cloud has for its answer. */
  readonly timeoutMs: number;
  readonly body: 'base64' | 'plain';
}

/** Passes what programs on this node say to the cloud's rules, and brings the answers. */
export class Uploads {
  readonly #deps: UploadsDeps;
  readonly #said = new Complaints();

  constructor(deps: UploadsDeps) {
    this.#deps = deps;
  }

  /**
   * One request, from its body to the cloud's answer. Without a link it fails at once.
   * Source of texts and codes: KubeEdge v1.23.
   * @throws EdgeError `core.aborted` when the program has gone
   */
  async ask(body: Buffer, signal: AbortSignal): Promise<Result> {
    const { urls, link, bus, timeoutMs } = this.#deps;
    const url = targetUrlOf(body);
    if (url === undefined) return told(400, 'invalid params');
    if (!urls.has(url)) return told(400, `url ${url.slice(0, 2000)} is not allowed and please make a rule for this url in the cloud`);
    const { connected, reason } = link.value;
    if (!connected) return told(400, `there is no connection to the cloud${reason === undefined ? '' : `: ${reason}`}`);
    const message = createMessage({ source: Modules.serviceBus, group: Groups.user, operation: Operations.upload, resource: url, content: this.#contentOf(body) });
    try {
      const { route, content } = await bus.request({ group: Groups.hub }, message, { timeoutMs, signal });
      const text = typeof content === 'string' ? content : encodeJson(content);
      return route.operation === Operations.error ? told(400, text) : told(200, 'receive response from cloud successfully', text);
    } catch (error) {
      if (errorCode(error) === 'core.aborted') throw error;
      if (this.#said.passes(url)) this.#deps.log.warn('the cloud did not answer a program on this node', { url: url.slice(0, 200), why: errorText(error) });
      if (errorCode(error) !== 'bus.timeout') return told(400, errorText(error));
      return told(400, `timeout to get response for message ${message.header.id}: the rule's target did not answer the cloud within ${timeoutMs / 1000} s, or there is no rule any more`);
    }
  }

  /** Go holds the body as bytes, which JSON makes base64, and the cloud hands that on as it is. */
  #contentOf(body: Buffer): string {
    return this.#deps.body === 'plain' && isUtf8(body) ? body.toString() : body.toString('base64');
  }
}

/** The URL that a body names; undefined when it is none of `{"method","targetURL","payload"}`. Keys match in any case, as in Go. */
export function targetUrlOf(body: Buffer): string | undefined {
  let fields: unknown;
  try {
    fields = JSON.parse(body.toString());
  } catch {
    return undefined;
  }
  if (fields === null) return '';
  if (!isFields(fields)) return undefined;
  const method = member(fields, 'method');
  const url = member(fields, 'targeturl') ?? '';
  return typeof url === 'string' && (method === undefined || method === null || typeof method === 'string') ? url : undefined;
}

/** The last one counts, as in Go. */
function member(fields: Readonly<Record<string, unknown>>, name: string): unknown {
  const key = Object.keys(fields).findLast((candidate) => candidate.toLowerCase() === name);
  return key === undefined ? undefined : fields[key];
}
