import { backoffDelay, errorText, isAbort, sleep, type Backoff, type CloudLink, type Logger } from '@edge/core';
import { errorStatus, ResourceTypes } from '@edge/protocol';
import { planRenewals } from '../decide/token-renewals.js';
import { readObject, type MetaObjects } from '../meta-objects.js';
import type { StoredToken } from './stored-token.js';
import type { TokenFetcher } from './token-fetcher.js';
import type { TokenVault } from './token-vault.js';

/** Renewals that are out at the same time; a pod that starts finds places left. */
const WORKERS = 4;
/** Longest time between looks, because the clock may be set. */
const REVIEW_MS = 60_000;
/** Before a token is asked for again whose renewal brought nothing. */
const AGAIN: Backoff = { firstMs: 15_000, factor: 2, limitMs: 600_000, jitter: 0.2 };

/** Renews tokens before they go stale, also when nobody asks for them, and after a time without the cloud those that have ended. */
export class TokenRenewer {
  readonly #vault: TokenVault;
  readonly #fetcher: TokenFetcher;
  readonly #objects: MetaObjects;
  readonly #link: CloudLink;
  readonly #log: Logger;
  readonly #failed = new Map<string, { readonly count: number; readonly until: number }>();
  #session = -1;

  constructor(deps: { vault: TokenVault; fetcher: TokenFetcher; objects: MetaObjects; link: CloudLink; log: Logger }) {
    this.#vault = deps.vault;
    this.#fetcher = deps.fetcher;
    this.#objects = deps.objects;
    this.#link = deps.link;
    this.#log = deps.log;
  }

  /** Works until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#vault.open();
    while (!signal.aborted) {
      using changed = new Change(this.#link);
      const { due, over, nextAt } = planRenewals(this.#vault.all(), this.#pods(), Date.now());
      if (over.length > 0) await this.#vault.drop(over);
      await this.#renew(due, signal);
      const again = Math.min(nextAt, ...[...this.#failed.values()].map(({ until }) => until));
      await changed.orAfter(Math.min(Math.max(again - Date.now(), 1000), REVIEW_MS), signal);
    }
  }

  async #renew(due: readonly StoredToken[], signal: AbortSignal): Promise<void> {
    const { connected, session } = this.#link.value;
    if (session !== this.#session) this.#failed.clear();
    this.#session = session;
    const isDue = new Set(due.map(({ key }) => key));
    for (const key of this.#failed.keys()) if (!isDue.has(key)) this.#failed.delete(key);
    if (!connected) return;
    const now = Date.now();
    const queue = due.filter(({ key }) => (this.#failed.get(key)?.until ?? 0) <= now);
    await Promise.all(Array.from({ length: WORKERS }, async () => {
      for (let token = queue.shift(); token && this.#link.value.connected && !signal.aborted; token = queue.shift()) await this.#one(token);
    }));
  }

  async #one(stored: StoredToken): Promise<void> {
    const { namespace, account, key } = stored;
    const count = (this.#failed.get(key)?.count ?? 0) + 1;
    // Taken back by the next look when the new one is fresh; with a wrong clock it may not be.
    this.#failed.set(key, { count, until: Date.now() + backoffDelay(AGAIN, count - 1, Math.random()) });
    try {
      const { token, answer } = await this.#fetcher.fetch(stored, true);
      if (!token) this.#log.warn('the cloud gave no new service account token; the old one stays in use', { account: `${namespace}/${account}`, reason: errorStatus(answer.content)?.message ?? 'the answer holds no token' });
    } catch (error) {
      if (isAbort(error)) return;
      this.#log.verbose(1, 'a service account token could not be renewed', { account: `${namespace}/${account}`, err: errorText(error) });
    }
  }

  #pods(): ReadonlySet<string> {
    return new Set(this.#objects.valuesOf(ResourceTypes.pod).flatMap((value) => readObject(value)?.metadata.uid ?? []));
  }
}

/** Notices that the link opens or closes from the time it is made. */
class Change implements Disposable {
  readonly #happened = new AbortController();
  readonly #subscription: Disposable;

  constructor(link: CloudLink) {
    this.#subscription = link.subscribe(() => this.#happened.abort());
  }

  /** Resolves after the time, at once when it happened or when the signal aborts. */
  async orAfter(milliseconds: number, signal: AbortSignal): Promise<void> {
    try {
      await sleep(milliseconds, AbortSignal.any([signal, this.#happened.signal]));
    } catch (error) {
      if (!isAbort(error)) throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]();
  }
}
