import { errorText, sleep, type CloudLink, type Logger } from '@edge/core';
import { isApiError, type ApiError, type ResourceRef, type ResourceType } from '@edge/kubeapi';
import type { ObjectCopy } from '../copy/object-copy.js';
import type { Application, ApplicationRequest } from './application.js';
import { isOutage, type CloudApi } from './cloud-api.js';
import type { CloudReader } from './cloud-reader.js';
import { covers, listenersOf, scopeId, type Scope } from './scope.js';

/** A collection is followed a while longer than it is watched, because watches end only to begin anew. */
const LINGER_MS = 60_000;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;

interface Entry {
  readonly scope: Scope;
  /** As `listenersOf` has them. */
  readonly applications: readonly [Application, ...Application[]];
  /** The cloud refused a listener without which some changes do not come. */
  isPartial: boolean;
  holders: number;
  /** Session in which the copy is in step with the cloud; 0 for none. */
  inStep: number;
  refusal: ApiError | undefined;
  /** Under way, and in which session. */
  getting: { readonly session: number; readonly done: Promise<void> } | undefined;
  linger: NodeJS.Timeout | undefined;
}

/** Collections that are watched: the cloud sends their changes, and after each connect they are compared with it. [metaserver-6] */
export class Follower {
  readonly #cloud: CloudApi;
  readonly #reader: CloudReader;
  readonly #link: CloudLink;
  readonly #log: Logger;
  readonly #lingerMs: number;
  readonly #entries = new Map<string, Entry>();
  #copy: ObjectCopy | undefined;
  #signal: AbortSignal = AbortSignal.abort();
  #joining: Promise<void> | undefined;

  constructor(deps: { cloud: CloudApi; reader: CloudReader; link: CloudLink; log: Logger; lingerMs?: number }) {
    this.#cloud = deps.cloud;
    this.#reader = deps.reader;
    this.#link = deps.link;
    this.#log = deps.log;
    this.#lingerMs = deps.lingerMs ?? LINGER_MS;
  }

  /** Follows until the signal aborts. Never rejects. */
  async run(copy: ObjectCopy, signal: AbortSignal): Promise<void> {
    this.#copy = copy;
    this.#signal = signal;
    try {
      while (!signal.aborted) {
        const { session } = await this.#link.until(({ connected }) => connected, signal);
        for (const entry of this.#entries.values()) entry.refusal = undefined;
        await this.#join(session);
        await this.#link.until((link) => !link.connected || link.session !== session, signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      for (const { linger } of this.#entries.values()) clearTimeout(linger);
      this.#entries.clear();
    }
  }

  /** True when every change of what `ref` names comes by itself, and the copy had all of it at the start of this session or later. */
  isInStep(type: ResourceType, ref: ResourceRef): boolean {
    if (!this.#cloud.connected) return false;
    return [...this.#entries.values()].some((entry) => entry.inStep === this.#cloud.session && !entry.isPartial && covers(entry.scope, type, ref));
  }

  /**
   * Follows a collection until it is let go. `ready` resolves when the copy is in step with the cloud, or cannot be because the
   * cloud does not answer; it rejects with the cloud's refusal.
   */
  hold(scope: Scope): { readonly ready: Promise<void>; release(): void } {
    const id = scopeId(scope);
    let entry = this.#entries.get(id);
    if (entry === undefined) {
      const applications = listenersOf(scope).map((request) => this.#cloud.application(request)) as [Application, ...Application[]];
      entry = { scope, applications, isPartial: false, holders: 0, inStep: 0, refusal: undefined, getting: undefined, linger: undefined };
      this.#entries.set(id, entry);
    }
    const held = entry;
    held.holders += 1;
    clearTimeout(held.linger);
    let isHeld = true;
    return {
      ready: this.#ready(held),
      release: () => {
        if (!isHeld) return;
        isHeld = false;
        held.holders -= 1;
        if (held.holders === 0 && !this.#signal.aborted) held.linger = setTimeout(() => void this.#drop(id, held), this.#lingerMs).unref();
      },
    };
  }

  async #ready(entry: Entry): Promise<void> {
    if (!this.#cloud.connected || entry.inStep === this.#cloud.session) return;
    if (entry.getting?.session !== this.#cloud.session) {
      const getting = { session: this.#cloud.session, done: this.#begin(entry) };
      entry.getting = getting;
      void getting.done.then(() => {
        if (entry.getting === getting) entry.getting = undefined;
      });
    }
    await entry.getting?.done;
    if (entry.refusal) throw entry.refusal;
  }

  /** Registers the listener, then lists: what changes in between comes twice and not never. Never rejects. */
  async #begin(entry: Entry): Promise<void> {
    const { session } = this.#cloud;
    try {
      const [first, ...others] = listenersOf(entry.scope);
      await this.#cloud.ask(first as ApplicationRequest);
      for (const other of others) await this.#askMore(entry, other);
      await this.#refresh(entry, session);
    } catch (error) {
      this.#failed(entry, error);
    }
    // It failed, or the link broke meanwhile and a new session did not wait for it.
    if (entry.refusal === undefined && entry.inStep !== this.#cloud.session) void this.#later();
  }

  async #askMore(entry: Entry, request: ApplicationRequest): Promise<void> {
    try {
      await this.#cloud.ask(request);
      entry.isPartial = false;
    } catch (error) {
      if (!isApiError(error)) throw error;
      entry.isPartial = true;
    }
  }

  /** Brings everything in step that is not, in this session. Never rejects. */
  async #join(session: number): Promise<void> {
    let pause = FIRST_PAUSE_MS;
    for (let behind = this.#behind(session); behind.length > 0 && this.#isSession(session); behind = this.#behind(session)) {
      try {
        // The cloud may have forgotten all listeners.
        const refused = await this.#cloud.sync([...this.#entries.values()].flatMap(({ applications }) => applications));
        for (const entry of behind) {
          const [first, ...others] = entry.applications;
          entry.refusal = refused.get(first.ID);
          entry.isPartial = others.some(({ ID }) => refused.has(ID));
          if (entry.refusal === undefined) await this.#refresh(entry, session);
        }
      } catch (error) {
        this.#log.verbose(1, 'what is watched is not in step with the cloud yet', { err: errorText(error) });
        await Promise.race([sleep(pause, this.#signal), this.#link.until((link) => link.session !== session, this.#signal)]).catch(() => undefined);
        pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
      }
    }
  }

  #behind(session: number): Entry[] {
    return [...this.#entries.values()].filter((entry) => entry.inStep !== session && entry.refusal === undefined && entry.getting?.session !== session);
  }

  /** Tries again what failed, in whatever session there is then. */
  async #later(): Promise<void> {
    await sleep(FIRST_PAUSE_MS, this.#signal).catch(() => undefined);
    if (!this.#signal.aborted) this.#joining ??= this.#join(this.#cloud.session).finally(() => (this.#joining = undefined));
  }

  async #refresh(entry: Entry, session: number): Promise<void> {
    try {
      await this.#reader.refresh(this.#copy as ObjectCopy, entry.scope, this.#signal);
      entry.refusal = undefined;
      if (this.#isSession(session)) entry.inStep = session;
    } catch (error) {
      if (!isApiError(error)) throw error;
      this.#failed(entry, error);
    }
  }

  #failed(entry: Entry, error: unknown): void {
    entry.refusal = isApiError(error) ? error : undefined;
    if (!isOutage(error)) this.#log.warn('the cloud does not let the node follow a collection', { key: entry.applications[0].Key, err: errorText(error) });
  }

  #isSession(session: number): boolean {
    return !this.#signal.aborted && this.#cloud.connected && this.#cloud.session === session;
  }

  async #drop(id: string, entry: Entry): Promise<void> {
    if (entry.holders > 0 || this.#entries.get(id) !== entry) return;
    this.#entries.delete(id);
    try {
      if (this.#cloud.connected) await this.#cloud.sync([...this.#entries.values()].flatMap(({ applications }) => applications));
    } catch (error) {
      // The cloud goes on sending; the next sync, at the latest after the next connect, ends that.
      this.#log.verbose(1, 'the cloud was not told that a collection is not followed any more', { key: entry.applications[0].Key, err: errorText(error) });
    }
  }
}
