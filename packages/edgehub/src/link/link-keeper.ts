import { Complaints, abortError, errorText, isAbort, sleep, type CloudLink, type Logger, type MessageBus, type NodeIdentity, type WritableCell } from '@edge/core';
import { CLOUD_CONNECTED, CLOUD_DISCONNECTED, type Message } from '@edge/protocol';
import type { Certificates } from '../certificates/certificates.js';
import type { NodePair } from '../certificates/pair.js';
import type { EdgeHubConfig } from '../config.js';
import { diagnose } from '../diagnosis/diagnose.js';
import { sendConnectionNotice } from '../notices.js';
import type { Outbox } from '../outbox/outbox.js';
import type { Channel } from './channel.js';
import { dial, tryPair } from './dialer.js';
import { History } from './history.js';
import { reconnectPause } from './pauses.js';
import { Session, type SessionDeps, type SessionEnd } from './session.js';
import { Throttle } from './throttle.js';

export interface LinkKeeperDeps {
  readonly config: EdgeHubConfig;
  readonly identity: NodeIdentity;
  readonly bus: MessageBus;
  readonly link: WritableCell<CloudLink['value']>;
  readonly certificates: Certificates;
  readonly outbox: Outbox;
  readonly log: Logger;
  readonly onMessage: SessionDeps['onMessage'];
  readonly onGarbage: SessionDeps['onGarbage'];
}

const SAY_AGAIN_MS = 600_000;
/** How long a change of certificates waits for the answers that are under way. */
const DRAIN_MS = 5000;

/** Keeps one session with the cloud open, whatever happens to the line. */
export class LinkKeeper {
  readonly #deps: LinkKeeperDeps;
  readonly #log: Logger;
  readonly #throttle: Throttle;
  readonly #history: History;
  readonly #complaints = new Complaints(SAY_AGAIN_MS);
  #session: Session | undefined;
  /** A change of certificates in progress; it may open the next session before the present one has ended. */
  #replacing: Promise<unknown> | undefined;

  constructor(deps: LinkKeeperDeps) {
    this.#deps = deps;
    this.#log = deps.log.named('link');
    this.#throttle = new Throttle(deps.config.messageQPS, deps.config.messageBurst);
    this.#history = new History(deps.identity.name);
  }

  /** The open session, if there is one. */
  get session(): Session | undefined {
    return this.#session;
  }

  /** The session that took over from this one; undefined when the link is just down. */
  async successor(session: Session): Promise<Session | undefined> {
    await this.#replacing?.catch(() => undefined);
    return this.#session === session ? undefined : this.#session;
  }

  /** Until the signal aborts; then rejects with `core.aborted`. */
  async keepOpen(signal: AbortSignal): Promise<never> {
    try {
      for (;;) {
        const session = this.#session ?? (await this.#connect(signal));
        const end = await ended(session, signal);
        await this.#replacing?.catch(() => undefined);
        // Replaced by a session with newer certificates: nothing was lost.
        if (this.#session === session) await this.#lost(session, end);
      }
    } finally {
      const last = this.#session;
      this.#session = undefined;
      await last?.close('the agent stops');
      this.#setDown('the agent stops');
    }
  }

  /**
   * Lets a session with other certificates take over; the present one goes on when the cloud does not take them.
   * What is under way is finished first, so that nothing is asked in one session and answered in none.
   */
  async replace(pair: NodePair, signal: AbortSignal): Promise<void> {
    const work = this.#replace(pair, signal);
    this.#replacing = work;
    try {
      await work;
    } finally {
      this.#replacing = undefined;
    }
  }

  async #replace(pair: NodePair, signal: AbortSignal): Promise<void> {
    const { config, identity } = this.#deps;
    const present = this.#session;
    if (present) await tryPair(config, pair, signal);
    await present?.drain(DRAIN_MS, signal);
    // Never two at a time: when the older connection of a node breaks off, CloudHub ends the newer session for it.
    await present?.close('replaced by a session with new certificates');
    this.#open(await dial(config, identity, pair, signal));
  }

  async #connect(signal: AbortSignal): Promise<Session> {
    const { config, identity, certificates } = this.#deps;
    for (;;) {
      await sleep(reconnectPause(this.#history.failures, Math.random()), signal);
      await this.#replacing?.catch(() => undefined);
      if (this.#session) return this.#session;
      try {
        const channel = await dial(config, identity, certificates.pair as NodePair, signal);
        // A change of certificates was quicker.
        if (this.#session) await channel[Symbol.asyncDispose]();
        else this.#open(channel);
        return this.#session as unknown as Session;
      } catch (error) {
        if (signal.aborted || isAbort(error)) throw error;
        this.#history.failed();
        this.#explain(error);
      }
    }
  }

  #open(channel: Channel): void {
    const { link, outbox, config, bus, onMessage, onGarbage } = this.#deps;
    const number = link.value.session + 1;
    const session = new Session({
      number,
      channel,
      config,
      outbox,
      throttle: this.#throttle,
      bus,
      log: this.#log,
      unansweredLimitMs: this.#history.unansweredLimitMs,
      onMessage: (message: Message) => {
        this.#history.heard();
        return onMessage(message);
      },
      onGarbage,
    });
    this.#session = session;
    outbox.onWork = () => session.uplink.pump();
    link.set({ connected: true, session: number, since: session.openedAt });
    this.#log.info('the link to the cloud is open', { address: channel.facts.address, session: number });
    void sendConnectionNotice(bus, CLOUD_CONNECTED);
  }

  async #lost(session: Session, end: SessionEnd): Promise<void> {
    const { bus, outbox } = this.#deps;
    this.#session = undefined;
    outbox.onWork = () => undefined;
    const trouble = this.#history.ended(session.openedAt, end);
    this.#setDown(trouble ?? end.reason);
    this.#log.warn('the link to the cloud is lost', { reason: end.reason, by: end.by, session: session.number, seconds: Math.round((Date.now() - session.openedAt) / 1000) });
    if (trouble !== undefined && this.#complaints.passes(trouble)) this.#log.error(trouble);
    // A refusal of our certificate comes after the handshake in TLS 1.3, as the end of a session that never was.
    await session.close('lost');
    void sendConnectionNotice(bus, CLOUD_DISCONNECTED);
  }

  #setDown(reason: string): void {
    const { link } = this.#deps;
    link.set({ connected: false, session: link.value.session, since: link.value.connected ? Date.now() : link.value.since, reason });
  }

  #explain(error: unknown): void {
    const { config, identity, certificates } = this.#deps;
    const own = certificates.pair;
    const found = diagnose({ purpose: 'link', error, node: identity.name, now: Date.now(), config, ...(own ? { own } : {}) });
    this.#setDown(found.text);
    if (this.#complaints.passes(`${found.code} ${found.address}`)) this.#log.error(found.text, { code: found.code });
    else this.#log.verbose(2, 'the link could not be opened', { err: errorText(error) });
    if (found.certificates) certificates.doubt();
  }
}

/** The session's end, or a rejection when the signal aborts first. */
function ended(session: Session, signal: AbortSignal): Promise<SessionEnd> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(abortError(signal));
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    void session.ended.then((end) => {
      signal.removeEventListener('abort', onAbort);
      resolve(end);
    });
  });
}
