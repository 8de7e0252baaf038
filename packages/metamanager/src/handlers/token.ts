import { errorCode, errorText, type Logger } from '@edge/core';
import { createResponse, formatResource, isFields, Modules, parseResource, ResourceTypes, type Message, type ResourcePath } from '@edge/protocol';
import type { Cloud } from '../cloud.js';
import { classifyContent } from '../decide/content.js';
import { tokenState } from '../decide/token-freshness.js';
import { metaManagerError } from '../errors.js';
import type { MetaObjects } from '../meta-objects.js';
import { isKnownToken } from '../tokens/known-token.js';
import { tokenKey, type TokenRequest } from '../values/token-key.js';
import { fromStore, relay } from './relay.js';

/**
 * Tokens of service accounts. A stored one is used only for exactly the account, audiences, life and pod it was asked
 * for, and stays until a new one is stored. Without the cloud even an expired one is given out: pods that mount one, which
 * is nearly every pod, have to start again after a power cut, and it is renewed as soon as the cloud is back. [metamanager-5]
 */
export class TokenHandler {
  readonly #objects: MetaObjects;
  readonly #cloud: Cloud;
  readonly #log: Logger;
  readonly #now: () => number;

  constructor(deps: { objects: MetaObjects; cloud: Cloud; log: Logger; now?: () => number }) {
    this.#objects = deps.objects;
    this.#cloud = deps.cloud;
    this.#log = deps.log;
    this.#now = deps.now ?? Date.now;
  }

  /** @throws EdgeError when there is no token and the cloud is not there */
  async handle(message: Message): Promise<Message> {
    const path = parseResource(message.route.resource);
    const key = tokenKey(path.namespace, path.name, asTokenRequest(message));
    const stored = this.#objects.value(key);
    const state = stored === undefined ? 'useless' : tokenState(readToken(stored), this.#now());
    if (stored !== undefined && state === 'fresh') return fromStore(message, [stored]);
    try {
      const answer = await this.#cloud.ask(message);
      if (await this.#store(answer, path, key)) return relay(message, answer);
      return stored !== undefined && state === 'stale' ? fromStore(message, [stored]) : relay(message, answer);
    } catch (error) {
      if (stored === undefined || state === 'useless' || errorCode(error) === 'core.aborted') throw error;
      this.#log.verbose(1, 'an older token is used because the cloud gave no new one', { resource: formatResource(path), err: errorText(error) });
      return fromStore(message, [stored]);
    }
  }

  /**
   * Answers `{known}` to `get stored/token` with content `{token}`: true when that very token is stored and has not
   * expired. The answer never holds a token. [metamanager-5.13]
   * @throws EdgeError `metamanager.malformed`
   */
  isKnown(message: Message): Message {
    const { token } = isFields(message.content) ? message.content : {};
    if (typeof token !== 'string' || token === '') throw metaManagerError('metamanager.malformed', `get ${message.route.resource} needs the content {"token": "<the token>"}`);
    const stored = this.#objects.valuesOf(ResourceTypes.serviceAccountToken).map(readToken);
    return createResponse(message, { known: isKnownToken(token, stored, this.#now()) }, { source: Modules.metaManager });
  }

  /** Stores a token whose asker has given up; the next question finds it. */
  async keep(answer: Message): Promise<void> {
    await this.#store(answer, parseResource(answer.route.resource));
  }

  /**
   * Stores the token under the key of the answer, as upstream does, and under that of the question: the cloud fills in
   * audiences that were left out, so the two differ and the question would never find its answer again.
   */
  async #store(answer: Message, path: ResourcePath, askedKey?: string): Promise<boolean> {
    const content = classifyContent(path.type, answer.content);
    if (content.form !== 'object') return false;
    const token = content.object as TokenRequest;
    if (!token.status?.token) return false;
    const ownKey = tokenKey(path.namespace, path.name, token);
    await this.#objects.putValues([ownKey, askedKey ?? ownKey], ResourceTypes.serviceAccountToken, content.object);
    return true;
  }
}

function asTokenRequest(message: Message): TokenRequest {
  const { content } = message;
  if (typeof content === 'object' && content !== null && 'spec' in content) return content as TokenRequest;
  throw metaManagerError('metamanager.malformed', `query ${message.route.resource} needs a TokenRequest as its content`);
}

function readToken(value: string): TokenRequest {
  try {
    const parsed: unknown = JSON.parse(value);
    return typeof parsed === 'object' && parsed !== null ? (parsed as TokenRequest) : {};
  } catch {
    return {};
  }
}
