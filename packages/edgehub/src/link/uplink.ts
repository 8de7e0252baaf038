import { EdgeError, type MessageBus } from '@edge/core';
import { createErrorResponse, encodeMessage, type Message } from '@edge/protocol';
import type { Rank } from '../delivery-of.js';
import { EdgeHubErrors } from '../errors.js';
import type { Outbox } from '../outbox/outbox.js';
import type { Channel } from './channel.js';
import type { RoundTrip } from './round-trip.js';
import type { Throttle } from './throttle.js';
import { windowSize } from './window.js';

export interface UplinkDeps {
  readonly channel: Channel;
  readonly outbox: Outbox;
  readonly throttle: Throttle;
  readonly bus: MessageBus;
  readonly roundTrip: RoundTrip;
  readonly messageQPS: number;
}

interface Waiting {
  readonly message: Message;
  readonly sent: () => void;
  readonly failed: (error: Error) => void;
}

/** What a caller hears when the link breaks before the answer; upstream's words, modules know them. */
export const LINK_LOST_TEXT = 'connection lost between EdgeCore and CloudCore';

/** The outbox may have something due by time alone. */
const TICK_MS = 1000;
const ASKED_PRUNE = 1024;
/** Pings behind ordered messages that are out at a time. A cloud may take many in one read for a flood; the library `ws` ends the link at 60. */
const MAX_MARKERS = 32;

/**
 * The sending half of one session. Replies pass at once; then urgent, normal and answered messages, in this order, and at
 * last background and ordered ones in turns.
 */
export class Uplink implements Disposable {
  readonly #deps: UplinkDeps;
  readonly #urgent: Waiting[] = [];
  readonly #direct: Waiting[] = [];
  readonly #background: Waiting[] = [];
  /** Whose turn it is. */
  #orderedNext = false;
  /** Direct messages whose answer somebody waits for, without their contents. */
  readonly #asked = new Map<string, Message>();
  /** Pings sent behind ordered messages: ping id → last place before it. */
  readonly #markers = new Map<number, number>();
  readonly #tick: NodeJS.Timeout;
  #timer: NodeJS.Timeout | undefined;
  #held = false;
  #ended = false;
  #pings = 0;
  #unmarked: number | undefined;
  #pumping = false;

  constructor(deps: UplinkDeps) {
    this.#deps = deps;
    deps.outbox.answered.rewind();
    deps.outbox.ordered.rewind();
    deps.channel.onWritable = () => this.pump();
    this.#tick = setInterval(() => deps.outbox.answered.busy && this.pump(), TICK_MS);
  }

  /** True while an answer or confirmation is owed to us. */
  get busy(): boolean {
    const { outbox, bus } = this.#deps;
    for (const id of this.#asked.keys()) if (!bus.awaited(id)) this.#asked.delete(id);
    return this.#asked.size > 0 || outbox.answered.unanswered > 0 || outbox.ordered.unconfirmed > 0;
  }

  /** Keepalive, acknowledgements, answers: never throttled, never queued. */
  reply(message: Message): void {
    this.#deps.channel.send(encodeMessage(message));
  }

  /** Resolves when sent. Rejects with `edgehub.link-lost` when the session ends first. */
  direct(message: Message, rank: Rank): Promise<void> {
    if (this.#ended) return Promise.reject(linkLost());
    return new Promise((sent, failed) => {
      (rank === 'urgent' ? this.#urgent : rank === 'normal' ? this.#direct : this.#background).push({ message, sent, failed });
      this.pump();
    });
  }

  /** A message from the cloud names this one as its parent. */
  answered(parentId: string): void {
    this.#asked.delete(parentId);
    if (this.#deps.outbox.answered.answered(parentId)) this.pump();
  }

  /** A ping for the question whether the line lives. */
  ping(): void {
    this.#pings += 1;
    this.#deps.roundTrip.sent(this.#pings, performance.now());
    this.#deps.channel.ping(this.#pings);
  }

  pong(id: number): void {
    if (!this.#deps.roundTrip.answered(id, performance.now())) return;
    let confirmed: number | undefined;
    for (const [marker, seq] of this.#markers) {
      if (marker > id) break;
      confirmed = seq;
      this.#markers.delete(marker);
    }
    if (confirmed === undefined) return;
    const { ordered } = this.#deps.outbox;
    if (this.#window > 1) {
      ordered.confirm(confirmed, false);
      this.pump();
      return;
    }
    // One at a time, and the next one only when this one is off the disk: neither a cut nor a kill repeats more than one.
    ordered.confirm(confirmed, true);
    void ordered.settled().then(() => this.pump());
  }

  get #window(): number {
    return windowSize(this.#deps.messageQPS, this.#deps.roundTrip.least);
  }

  /** Stops new messages so that those under way can be finished; replies still pass. */
  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    this.pump();
  }

  /** Sends what may be sent now. */
  pump(): void {
    if (this.#held || this.#ended || this.#pumping) return;
    this.#pumping = true;
    this.#deps.channel.together(() => {
      while (this.#deps.channel.open && this.#deps.channel.writable && this.#sendNext());
      // With all markers out, the next pong comes back here.
      if (this.#unmarked !== undefined && this.#markers.size < MAX_MARKERS) this.#mark(this.#unmarked);
    });
    this.#pumping = false;
  }

  /** The session is over: whoever waits for an answer is told. */
  [Symbol.dispose](): void {
    if (this.#ended) return;
    this.#ended = true;
    clearInterval(this.#tick);
    clearTimeout(this.#timer);
    const { bus } = this.#deps;
    for (const { failed } of [...this.#urgent.splice(0), ...this.#direct.splice(0), ...this.#background.splice(0)]) failed(linkLost());
    for (const message of this.#asked.values()) {
      if (bus.awaited(message.header.id)) bus.respond(createErrorResponse(message, LINK_LOST_TEXT));
    }
    this.#asked.clear();
  }

  /** False when there is nothing to send, or not yet. */
  #sendNext(): boolean {
    const { outbox, throttle } = this.#deps;
    const urgent = this.#urgent.shift();
    if (urgent) {
      throttle.force();
      return this.#sendDirect(urgent);
    }
    const now = performance.now();
    const wait = throttle.waitMs(now);
    if (wait > 0) {
      if (this.#direct.length > 0 || this.#background.length > 0 || outbox.answered.busy || outbox.ordered.waiting) this.#wakeIn(wait);
      return false;
    }
    const direct = this.#direct.shift();
    if (direct) {
      throttle.take(now);
      return this.#sendDirect(direct);
    }
    const answered = outbox.answered.take(now);
    if (answered) {
      throttle.take(now);
      this.#deps.channel.send(answered.frame);
      return true;
    }
    return this.#orderedNext ? this.#sendOrdered(now) || this.#sendBackground(now) : this.#sendBackground(now) || this.#sendOrdered(now);
  }

  #sendBackground(now: number): boolean {
    const background = this.#background.shift();
    if (!background) return false;
    this.#orderedNext = true;
    this.#deps.throttle.take(now);
    return this.#sendDirect(background);
  }

  #sendOrdered(now: number): boolean {
    const { outbox, throttle } = this.#deps;
    const window = this.#window;
    const free = window > 1 ? outbox.ordered.unconfirmed < window : !outbox.ordered.unsettled;
    const ordered = free ? outbox.ordered.take() : undefined;
    if (!ordered) return false;
    this.#orderedNext = false;
    throttle.take(now);
    this.#deps.channel.send(ordered.frame);
    this.#unmarked = ordered.seq;
    // Several marks per window keep it moving.
    if (this.#markers.size < MAX_MARKERS && outbox.ordered.unconfirmed % Math.max(1, window >> 2) === 0) this.#mark(ordered.seq);
    return true;
  }

  #sendDirect({ message, sent }: Waiting): true {
    const { channel, bus } = this.#deps;
    if (message.header.parentId === undefined && bus.awaited(message.header.id)) this.#asked.set(message.header.id, { ...message, content: null });
    // Those who gave up waiting are not told of an answer that comes; they must not pile up.
    if (this.#asked.size > ASKED_PRUNE) for (const id of this.#asked.keys()) if (!bus.awaited(id)) this.#asked.delete(id);
    channel.send(encodeMessage(message));
    sent();
    return true;
  }

  #mark(seq: number): void {
    this.#unmarked = undefined;
    this.ping();
    this.#markers.set(this.#pings, seq);
  }

  #wakeIn(milliseconds: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.pump(), Math.max(1, milliseconds));
  }
}

function linkLost(): EdgeError {
  return new EdgeError(EdgeHubErrors.linkLost, LINK_LOST_TEXT);
}
