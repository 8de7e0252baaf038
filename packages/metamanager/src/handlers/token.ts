import { errorCode, errorText, withTimeout, type Logger } from '@edge/core';
import { createResponse, encodeJson, errorStatus, formatResource, isFields, Modules, parseResource, Sources, type Message } from '@edge/protocol';
import type { MetaManagerConfig } from '../config.js';
import { stateOf } from '../decide/token-renewals.js';
import { metaManagerError } from '../errors.js';
import { isKnownToken } from '../tokens/known-token.js';
import { tokenQuestion, type StoredToken, type TokenQuestion } from '../tokens/stored-token.js';
import type { FetchedToken, TokenFetcher } from '../tokens/token-fetcher.js';
import type { TokenVault } from '../tokens/token-vault.js';
import { fromStore, relay } from './relay.js';

/** Waits for a new token while an old one would do: valid, or at least there. Milliseconds. */
const PATIENCE = { stale: 3_000, expired: 20_000 } as const;

/**
 * Tokens of service accounts. A stored one is used only for exactly the account, audiences, life and pod it was asked
 * for, and stays until a new one is stored. Without the cloud even an expired one is given out: pods that mount one, which
 * is nearly every pod, have to start again after a power cut, and it is renewed as soon as the cloud is back. [metamanager-5]
 */
export class TokenHandler {
  readonly #vault: TokenVault;
  readonly #fetcher: TokenFetcher;
  readonly #config: Pick<MetaManagerConfig, 'remoteQueryTimeout'>;
  readonly #log: Logger;

  constructor(deps: { vault: TokenVault; fetcher: TokenFetcher; config: Pick<MetaManagerConfig, 'remoteQueryTimeout'>; log: Logger }) {
    this.#vault = deps.vault;
    this.#fetcher = deps.fetcher;
    this.#config = deps.config;
    this.#log = deps.log;
  }

  /**
   * edged gets the stored token while it is fresh. Who asks through the local API gets what the cloud says while it
   * answers, and a stored one only while that is valid.
   * @throws EdgeError when there is no token and the cloud is not there; `metamanager.malformed`
   */
  async handle(message: Message): Promise<Message> {
    const question = readQuestion(message);
    await this.#vault.open();
    const isLocalApi = message.route.source === Sources.metaServer;
    const stored = this.#vault.find(question.key);
    const state = stored ? stateOf(stored, Date.now()) : 'useless';
    if (stored && state === 'fresh' && !isLocalApi) return this.#fromStore(message, stored);
    const fallback = state === 'useless' || (state === 'expired' && isLocalApi) ? undefined : stored;
    try {
      const { answer, token } = await this.#fetch(question, isLocalApi ? undefined : stored && PATIENCE[state as keyof typeof PATIENCE], !isLocalApi);
      if (token || !fallback || isLocalApi || (state === 'expired' && isRefusal(answer))) return relay(message, answer);
      return this.#fromStore(message, fallback);
    } catch (error) {
      if (!fallback || errorCode(error) === 'core.aborted') throw error;
      this.#log.verbose(1, 'an older token is used because the cloud gave no new one', { resource: message.route.resource, err: errorText(error) });
      return this.#fromStore(message, fallback);
    }
  }

  /**
   * Answers `{known}` to `get stored/token` with content `{token}`: true when that very token is stored and has not
   * expired. The answer never holds a token. [metamanager-5.13]
   * @throws EdgeError `metamanager.malformed`
   */
  async isKnown(message: Message): Promise<Message> {
    const { token } = isFields(message.content) ? message.content : {};
    if (typeof token !== 'string' || token === '') throw metaManagerError('metamanager.malformed', `get ${message.route.resource} needs the content {"token": "<the token>"}`);
    await this.#vault.open();
    const known = isKnownToken(token, this.#vault.all().map(({ answer }) => answer), Date.now());
    return createResponse(message, { known }, { source: Modules.metaManager });
  }

  #fetch(question: TokenQuestion, patienceMs: number | undefined, isMounted: boolean): Promise<FetchedToken> {
    const general = this.#config.remoteQueryTimeout * 1000;
    // Longer than the cloud's own time, whose error says more; it counts while the question waits for its turn.
    const limit = patienceMs === undefined ? general + 5000 : Math.min(patienceMs, general);
    return withTimeout(this.#fetcher.fetch(question, isMounted), limit, () => metaManagerError('metamanager.offline', `the cloud gave no token of ${question.namespace}/${question.account} within ${limit / 1000} s`));
  }

  #fromStore(message: Message, { answer }: StoredToken): Message {
    return fromStore(message, [encodeJson(answer)]);
  }
}

/** True when the cloud has judged the question, as opposed to one that could not look. */
function isRefusal({ content }: Message): boolean {
  const code = errorStatus(content)?.code ?? 0;
  return code >= 400 && code < 500 && code !== 408 && code !== 429;
}

function readQuestion(message: Message): TokenQuestion {
  const path = parseResource(message.route.resource);
  const spec = isFields(message.content) ? message.content.spec : undefined;
  const problem = path.name === '' ? 'the name of an account' : isFields(spec) ? specProblem(spec) : 'a TokenRequest as its content';
  if (problem !== undefined) throw metaManagerError('metamanager.malformed', `query ${formatResource(path)} needs ${problem}`);
  return tokenQuestion(path.namespace, path.name, message.content as TokenQuestion['asked']);
}

/** What a TokenRequest's spec lacks; undefined when it is well. */
function specProblem({ audiences, expirationSeconds, boundObjectRef }: Readonly<Record<string, unknown>>): string | undefined {
  if (audiences !== undefined && audiences !== null && !(Array.isArray(audiences) && audiences.every((audience) => typeof audience === 'string'))) return 'spec.audiences to be a list of texts';
  if (expirationSeconds !== undefined && expirationSeconds !== null && !Number.isSafeInteger(expirationSeconds)) return 'spec.expirationSeconds to be a whole number';
  if (boundObjectRef === undefined || boundObjectRef === null) return undefined;
  const isText = (value: unknown): boolean => value === undefined || typeof value === 'string';
  return isFields(boundObjectRef) && ['kind', 'apiVersion', 'name', 'uid'].every((name) => isText(boundObjectRef[name])) ? undefined : 'spec.boundObjectRef to be an object of texts';
}
