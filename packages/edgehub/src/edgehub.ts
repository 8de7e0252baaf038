import {
  Complaints,
  errorText,
  isAbort,
  sleep,
  type Credentials,
  type DeadLetters,
  type Life,
  type LinkStatus,
  type Logger,
  type MessageBus,
  type NodeIdentity,
  type Runnable,
  type Store,
  type Target,
  type WritableCell,
} from '@edge/core';
import { createErrorResponse, createMessage, createResponse, Modules, type Message } from '@edge/protocol';
import { Certificates } from './certificates/certificates.js';
import type { EdgeHubConfig } from './config.js';
import { deliveryOf, type Rank } from './delivery-of.js';
import { destinationOf } from './dispatch.js';
import { LinkKeeper } from './link/link-keeper.js';
import { LINK_LOST_TEXT } from './link/uplink.js';
import { Outbox, type OutboxStats } from './outbox/outbox.js';
import { together } from './together.js';
import type { TokenStore } from './tokens.js';

export interface EdgeHubDeps {
  readonly config: EdgeHubConfig;
  readonly bus: MessageBus;
  readonly link: WritableCell<LinkStatus>;
  readonly credentials: WritableCell<Credentials | undefined>;
  readonly store: Store;
  readonly identity: NodeIdentity;
  readonly tokens: TokenStore;
  readonly deadLetters: DeadLetters;
  readonly log: Logger;
}

const SAY_AGAIN_MS = 600_000;
const TIDY_MS = 60_000;
/** As much of a broken frame as is worth keeping. */
const GARBAGE_KEPT = 4096;

/** The link to the cloud. */
export class EdgeHub implements Runnable {
  readonly #deps: EdgeHubDeps;
  readonly #outbox: Outbox;
  readonly #certificates: Certificates;
  readonly #link: LinkKeeper;
  readonly #complaints = new Complaints(SAY_AGAIN_MS);

  constructor(deps: EdgeHubDeps) {
    const log = deps.log.named('edgehub');
    this.#deps = { ...deps, log };
    this.#outbox = new Outbox({ ...deps, log });
    this.#certificates = new Certificates({ ...deps, log });
    this.#link = new LinkKeeper({
      ...deps,
      log,
      outbox: this.#outbox,
      certificates: this.#certificates,
      onMessage: (message) => this.#fromCloud(message),
      onGarbage: (text, error) => this.#garbage(text, error),
    });
    this.#outbox.onKept = (message) => this.#kept(message);
    this.#outbox.onVolatile = (message, error) => this.#notKept(message, error);
  }

  /** What waits for the cloud. */
  get backlog(): OutboxStats {
    return this.#outbox.stats;
  }

  async run({ signal, ready }: Life): Promise<void> {
    await this.#outbox.load();
    // Ready without certificates, network or clock: the other modules work offline, and messages wait in the outbox.
    ready();
    try {
      await this.#certificates.obtain(signal);
      await together(
        signal,
        (stop) => this.#link.keepOpen(stop),
        (stop) => this.#certificates.keepFresh((pair, abort) => this.#link.replace(pair, abort), stop),
        (stop) => this.#tidy(stop),
      );
    } catch (error) {
      if (!signal.aborted || !isAbort(error)) throw error;
    } finally {
      await this.#outbox.flush();
    }
  }

  /** A module has something for the cloud. What is returned has to be waited for before the next message of the lane. */
  toCloud(message: Message): void | Promise<void> {
    const delivery = deliveryOf(message);
    switch (delivery.lane) {
      case 'reply':
        // Without a link it is dropped: the cloud sends again what is not acknowledged.
        return this.#link.session?.uplink.reply(message);
      case 'direct':
        if (delivery.whileAwaited && !this.#deps.bus.awaited(message.header.id)) return undefined;
        return this.#sendDirect(message, delivery.rank);
      default:
        return this.#outbox.accept(message, delivery);
    }
  }

  /** A sender that waits wants to know that its message is on the disk; the cloud answers none of these. */
  #kept(message: Message): void {
    const { bus } = this.#deps;
    if (bus.awaited(message.header.id)) bus.respond(createResponse(message, 'OK', { source: Modules.edgeHub }));
  }

  /** A sender that waits can send again; all others have now or never. */
  #notKept(message: Message, error: unknown): void {
    const { bus } = this.#deps;
    if (!bus.awaited(message.header.id)) void this.#sendDirect(message, 'normal');
    else bus.respond(createErrorResponse(message, `not kept for the cloud: ${errorText(error)}`, { source: Modules.edgeHub }));
  }

  async #sendDirect(message: Message, rank: Rank): Promise<void> {
    const { bus, log } = this.#deps;
    for (let session = this.#link.session; session; session = await this.#link.successor(session)) {
      try {
        await session.direct(message, rank);
        // The cloud answers no answer; who waits for one to leave is told here.
        if (message.header.parentId !== undefined && bus.awaited(message.header.id)) bus.respond(createResponse(message, 'OK', { source: Modules.edgeHub }));
        return undefined;
      } catch (error) {
        log.verbose(3, 'not sent in this session', { id: message.header.id, session: session.number, err: errorText(error) });
      }
    }
    if (bus.awaited(message.header.id)) bus.respond(createErrorResponse(message, LINK_LOST_TEXT));
    return undefined;
  }

  async #fromCloud(message: Message): Promise<void> {
    const { bus } = this.#deps;
    const destination = destinationOf(message);
    switch (destination.kind) {
      case 'waiter':
        if (bus.respond(message)) return;
        if (destination.otherwise) await this.#pass(destination.otherwise, message);
        else this.#sayOnce('nobody waits for this answer any more, it is dropped', message);
        return;
      case 'send':
        return this.#pass(destination.to, message);
      case 'drop':
        this.#sayOnce(destination.why, message);
    }
  }

  async #pass(to: Target, message: Message): Promise<void> {
    const { bus, log } = this.#deps;
    const name = 'module' in to ? `module ${to.module}` : `group ${to.group}`;
    if (!bus.reaches(to)) {
      this.#sayOnce(`no ${name} runs here, its messages are dropped`, message);
      return;
    }
    try {
      await bus.send(to, message);
    } catch (error) {
      // Not acknowledged, so the cloud sends it again.
      if (this.#complaints.passes(name)) log.error('a message from the cloud found no place', { to: name, err: errorText(error) });
    }
  }

  #garbage(text: string, error: unknown): void {
    const { deadLetters, log } = this.#deps;
    if (this.#complaints.passes('garbage')) log.error('a frame from the cloud is no message, it is set aside', { err: errorText(error), characters: text.length });
    const kept = createMessage({ source: 'cloud', group: '', operation: '', resource: '', content: text.slice(0, GARBAGE_KEPT) });
    deadLetters.add(Modules.edgeHub, kept, error);
  }

  #sayOnce(what: string, { route }: Message): void {
    if (!this.#complaints.passes(what)) return;
    this.#deps.log.warn(what, { source: route.source, operation: route.operation, resource: route.resource.slice(0, 200) });
  }

  /** Age passes without messages too. */
  async #tidy(signal: AbortSignal): Promise<never> {
    for (;;) {
      await sleep(TIDY_MS, signal);
      await this.#outbox.enforceLimits();
    }
  }
}
