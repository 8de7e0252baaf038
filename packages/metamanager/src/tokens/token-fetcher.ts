import { abortError, isAbort } from '@edge/core';
import { createMessage, Groups, Modules, Operations, parseResource, ResourceTypes, type Message } from '@edge/protocol';
import type { Cloud } from '../cloud.js';
import { classifyContent } from '../decide/content.js';
import { KeyQueue } from '../reconcile/key-queue.js';
import type { TokenRequest } from '../values/token-key.js';
import { tokenQuestion, type StoredToken, type TokenQuestion } from './stored-token.js';
import type { TokenVault } from './token-vault.js';

/** Questions that are out at the same time. */
const WORKERS = 8;
/** Questions whose late answers are recognised. */
const REMEMBERED = 256;

export interface FetchedToken {
  /** The cloud's answer as it came. */
  readonly answer: Message;
  /** Undefined when the answer holds none. */
  readonly token: StoredToken | undefined;
}

interface Pending {
  readonly question: TokenQuestion;
  isMounted: boolean;
  readonly promise: Promise<FetchedToken>;
  readonly resolve: (fetched: FetchedToken) => void;
  readonly reject: (error: unknown) => void;
}

/** Asks the cloud for tokens, a few at a time and never twice for the same one, and keeps what it answers. */
export class TokenFetcher {
  readonly #cloud: Cloud;
  readonly #vault: TokenVault;
  readonly #queue = new KeyQueue();
  readonly #pending = new Map<string, Pending>();
  /** By id of the message that asked. */
  readonly #out = new Map<string, Pending>();

  constructor(deps: { cloud: Cloud; vault: TokenVault }) {
    this.#cloud = deps.cloud;
    this.#vault = deps.vault;
  }

  /**
   * Whoever asks for the same token meanwhile shares the answer.
   * @param isMounted it is for a volume of a pod
   * @throws EdgeError as `Cloud.ask`
   */
  fetch(question: TokenQuestion, isMounted: boolean): Promise<FetchedToken> {
    const running = this.#pending.get(question.key);
    if (running) {
      running.isMounted ||= isMounted;
      return running.promise;
    }
    const { promise, resolve, reject } = withResolvers<FetchedToken>();
    // Askers with little patience have gone by then.
    promise.catch(() => undefined);
    this.#pending.set(question.key, { question, isMounted, promise, resolve, reject });
    this.#queue.add(question.key);
    return promise;
  }

  /** Works until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      await Promise.all(Array.from({ length: WORKERS }, () => this.#work(signal)));
    } finally {
      for (const { reject } of this.#pending.values()) reject(abortError(signal));
      this.#pending.clear();
    }
  }

  /** Keeps a token whose asker has given up; the next question finds it. */
  async keep(answer: Message): Promise<void> {
    const { namespace, name } = parseResource(answer.route.resource);
    const token = tokenIn(answer);
    if (!token) return;
    const out = this.#out.get(answer.header.parentId ?? '');
    await this.#vault.open();
    await this.#vault.put({ ...(out?.question ?? tokenQuestion(namespace, name, token)), answer: token, isMounted: out?.isMounted ?? false });
  }

  async #work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#answer(await this.#queue.take(signal));
      } catch (error) {
        if (!isAbort(error)) throw error;
      }
    }
  }

  async #answer(key: string): Promise<void> {
    const pending = this.#pending.get(key);
    if (!pending) return;
    try {
      pending.resolve(await this.#ask(pending));
    } catch (error) {
      pending.reject(error);
    } finally {
      this.#pending.delete(key);
    }
  }

  async #ask(pending: Pending): Promise<FetchedToken> {
    const { namespace, account, asked } = pending.question;
    const resource = `${namespace}/${ResourceTypes.serviceAccountToken}/${account}`;
    // In edged's name whoever asks: the cloud sends what comes from the local API elsewhere.
    const message = createMessage({ source: Modules.edged, group: Groups.meta, operation: Operations.query, resource, content: asked });
    const answer = await this.#cloud.ask(message, (id) => this.#remember(id, pending));
    const given = tokenIn(answer);
    const token = given && { ...pending.question, answer: given, isMounted: pending.isMounted };
    if (token) await this.#vault.put(token);
    return { answer, token };
  }

  #remember(id: string, pending: Pending): void {
    this.#out.set(id, pending);
    if (this.#out.size > REMEMBERED) this.#out.delete(this.#out.keys().next().value as string);
  }
}

/** The token that an answer holds; undefined for refusals and for an empty one. */
function tokenIn(answer: Message): TokenRequest | undefined {
  const content = classifyContent(ResourceTypes.serviceAccountToken, answer.content);
  if (content.form !== 'object') return undefined;
  const token = content.object as TokenRequest;
  return token.status?.token ? token : undefined;
}

/** A promise and its ends, which Node.js before 22 does not make by itself. */
function withResolvers<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (error: unknown) => void } {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((done, failed) => {
    resolve = done;
    reject = failed;
  });
  return { promise, resolve, reject };
}
