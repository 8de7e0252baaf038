import { sleep, type Logger, type MessageBus } from '@edge/core';
import { createMessage, decodeMessage, Groups, Modules, Operations, type Message } from '@edge/protocol';
import type { EdgeHubConfig } from '../config.js';
import { mustBeAnswered, type Rank } from '../delivery-of.js';
import type { Outbox } from '../outbox/outbox.js';
import type { Channel } from './channel.js';
import { Inbound } from './inbound.js';
import { judge, livenessLimits } from './liveness.js';
import { RoundTrip } from './round-trip.js';
import type { Throttle } from './throttle.js';
import { Uplink } from './uplink.js';

export interface SessionDeps {
  /** Counts from 1. */
  readonly number: number;
  readonly channel: Channel;
  readonly config: EdgeHubConfig;
  readonly outbox: Outbox;
  readonly throttle: Throttle;
  readonly bus: MessageBus;
  readonly log: Logger;
  /** Milliseconds that the cloud may leave a lease or status without any sign. */
  readonly unansweredLimitMs: number;
  /** Takes a message from the cloud. */
  readonly onMessage: (message: Message) => void | Promise<void>;
  /** Takes a frame that is no message. */
  readonly onGarbage: (text: string, error: unknown) => void;
}

/** Why a session ended. */
export type SessionEnd =
  | { readonly by: 'cloud'; readonly code: number; readonly reason: string }
  | { readonly by: 'silence'; readonly reason: string }
  | { readonly by: 'unanswered'; readonly reason: string }
  | { readonly by: 'us'; readonly reason: string };

/** How much later than planned a look may be before it counts as our own pause and not as the line's silence. */
const OWN_PAUSE_MS = 1500;
const DRAIN_POLL_MS = 20;
const LOOK_MS = 1000;

/** Everything that belongs to one connection. Nothing of it outlives it. */
export class Session implements AsyncDisposable {
  readonly number: number;
  readonly openedAt = Date.now();
  readonly uplink: Uplink;
  /** Resolves once, when the session is over. */
  readonly ended: Promise<SessionEnd>;
  readonly #deps: SessionDeps;
  readonly #inbound: Inbound;
  readonly #roundTrip = new RoundTrip();
  readonly #end: (end: SessionEnd) => void;
  readonly #heartbeat: NodeJS.Timeout;
  #look: NodeJS.Timeout | undefined;
  #bytes = 0;
  #receivedAt = performance.now();
  #unanswered = 0;
  #pingedAt = 0;
  /** Since when the cloud owes an answer and has sent nothing. */
  #owedSince: number | undefined;
  #over = false;

  constructor(deps: SessionDeps) {
    this.#deps = deps;
    this.number = deps.number;
    const { channel, config, outbox, throttle, bus } = deps;
    let settle: (end: SessionEnd) => void = () => undefined;
    this.ended = new Promise((resolve) => (settle = resolve));
    this.#end = (end) => {
      if (this.#over) return;
      this.#over = true;
      this.#stop();
      settle(end);
    };
    this.uplink = new Uplink({ channel, outbox, throttle, bus, roundTrip: this.#roundTrip, messageQPS: config.messageQPS });
    this.#inbound = new Inbound((message) => deps.onMessage(message), channel);
    this.#heartbeat = setInterval(() => this.#beat(), config.heartbeat * 1000);
    // The cloud ends a session without keepalives; the first one goes before anything else.
    this.#beat();
    channel.listen({
      frame: (text) => {
        this.#owedSince = undefined;
        this.#received(performance.now());
        this.#take(text);
      },
      pong: (id) => {
        this.#received(performance.now());
        this.uplink.pong(id);
      },
      closed: (code, reason) => this.#end({ by: 'cloud', code, reason: reason || `the cloud closed the link (${code})` }),
    });
    this.uplink.ping();
    this.#lookIn(LOOK_MS);
    this.uplink.pump();
  }

  /** Milliseconds, smoothed; undefined before the first pong. */
  get roundTripMs(): number | undefined {
    return this.#roundTrip.smooth;
  }

  /** Sends a direct message; see `Uplink.direct`. */
  async direct(message: Message, rank: Rank): Promise<void> {
    await this.uplink.direct(message, rank);
    if (mustBeAnswered(message)) this.#owedSince ??= performance.now();
  }

  /** Lets what is under way finish and sends nothing new meanwhile; `uplink.release()` undoes it. */
  async drain(limitMs: number, signal: AbortSignal): Promise<void> {
    this.uplink.hold();
    const until = performance.now() + limitMs;
    while (!this.#over && this.uplink.busy && performance.now() < until) await sleep(DRAIN_POLL_MS, signal);
  }

  /** Ends the session from this side. */
  async close(reason: string): Promise<void> {
    this.#end({ by: 'us', reason });
    await this.#deps.channel[Symbol.asyncDispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close('session disposed');
  }

  #stop(): void {
    clearInterval(this.#heartbeat);
    clearTimeout(this.#look);
    this.#inbound.close();
    this.uplink[Symbol.dispose]();
  }

  #beat(): void {
    this.uplink.reply(
      createMessage({ source: Modules.edgeHub, group: Groups.resource, operation: Operations.keepalive, resource: 'node', content: 'ping' }),
    );
  }

  #take(text: string): void {
    let message: Message;
    try {
      message = decodeMessage(text);
    } catch (error) {
      this.#deps.onGarbage(text, error);
      return;
    }
    const { parentId } = message.header;
    if (parentId !== undefined) this.uplink.answered(parentId);
    // An answer passes those in the queue: a module that is slow may be waiting for just this one.
    if (parentId !== undefined && this.#deps.bus.awaited(parentId)) void this.#deps.onMessage(message);
    else this.#inbound.push(message);
  }

  #received(now: number): void {
    this.#receivedAt = now;
    this.#unanswered = 0;
  }

  #lookIn(milliseconds: number): void {
    const plannedAt = performance.now() + milliseconds;
    this.#look = setTimeout(() => this.#lookAtLine(performance.now() - plannedAt), milliseconds);
  }

  #lookAtLine(lateMs: number): void {
    const { channel, config, unansweredLimitMs } = this.#deps;
    const now = performance.now();
    // A long frame shows by its bytes long before it is complete.
    if (channel.bytesReceived !== this.#bytes && now - this.#receivedAt > LOOK_MS) this.#received(now);
    this.#bytes = channel.bytesReceived;
    if (this.#inbound.paused) this.#received(now);
    if (this.#owedSince !== undefined && now - this.#owedSince >= unansweredLimitMs) {
      this.#end({ by: 'unanswered', reason: `the cloud answered nothing for ${Math.round((now - this.#owedSince) / 1000)} s` });
      channel.terminate();
      return;
    }
    // This process itself stood still (or the machine slept): what came meanwhile has not been read yet.
    if (lateMs > OWN_PAUSE_MS) {
      this.#pingedAt = now;
      this.#lookIn(livenessLimits(this.#roundTrip.smooth, config.websocket.writeDeadline * 1000).answerMs);
      return;
    }
    const limits = livenessLimits(this.#roundTrip.smooth, config.websocket.writeDeadline * 1000);
    const verdict = judge({ receivedAt: this.#receivedAt, unanswered: this.#unanswered, pingedAt: this.#pingedAt, writingSince: channel.writingSince }, limits, now);
    if (verdict.kind === 'dead') {
      this.#end({ by: 'silence', reason: verdict.why });
      channel.terminate();
      return;
    }
    if (verdict.kind === 'ask') {
      this.#unanswered += 1;
      this.#pingedAt = now;
      this.uplink.ping();
    }
    this.#lookIn(Math.min(Math.max(20, verdict.lookAgainMs), LOOK_MS));
  }
}
