import { readFile } from 'node:fs/promises';
import { Complaints, backoffDelay, errorText, isAbort, sleep, withTimeout, type LogFields, type Logger, type NodeIdentity } from '@edge/core';
import type { ExternalConfig } from './config.js';
import { eventBusError } from './errors.js';
import { Echoes } from './external/echoes.js';
import { MqttLink, type LinkOptions } from './external/mqtt-link.js';
import { Publisher } from './external/publisher.js';
import { shownUrl } from './shown-url.js';
import { Subscriber } from './external/subscriber.js';
import type { Arrival, Incoming } from './incoming.js';
import { RETRY, type Side } from './side.js';
import type { Subscriptions } from './subscriptions.js';
import { until } from './until.js';

type Role = 'sub' | 'pub';

/** For the answer to subscriptions. */
const SUBSCRIBE_MS = 20_000;
/** A connection that lasted so long begins with the shortest pause when it ends. */
const STEADY_MS = 10_000;
/** Else the pause grows to that step: a second, for the broker was there just now. */
const SHORT_PAUSE = 2;

/** The broker elsewhere, over two connections as upstream has them: one listens, one speaks. */
export class ExternalSide implements Side {
  readonly #config: ExternalConfig;
  readonly #identity: NodeIdentity;
  readonly #incoming: Incoming;
  readonly #subscriptions: Subscriptions;
  readonly #log: Logger;
  readonly #said = new Complaints();
  readonly #seen = new Complaints(60_000);
  readonly #echoes: Echoes | undefined;
  readonly #subscriber: Subscriber;
  readonly #publisher: Publisher;

  /** @param deps.deaf it does not hear what it has published itself */
  constructor(deps: { config: ExternalConfig; identity: NodeIdentity; incoming: Incoming; subscriptions: Subscriptions; deaf: boolean; log: Logger }) {
    this.#config = deps.config;
    this.#identity = deps.identity;
    this.#incoming = deps.incoming;
    this.#subscriptions = deps.subscriptions;
    this.#log = deps.log;
    this.#echoes = deps.deaf ? new Echoes() : undefined;
    this.#subscriber = new Subscriber({ topics: () => deps.subscriptions.topics, log: deps.log });
    this.#publisher = new Publisher({
      limit: deps.config.maxWaiting,
      onSent: (message) => {
        if (deps.subscriptions.wants(message.topic)) this.#echoes?.expect(message);
      },
      log: deps.log,
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    if (this.#config.tls === undefined && /^(ssl|tls|mqtts|wss):/.test(this.#config.url)) {
      this.#log.warn('the certificate of the MQTT broker is not checked; modules.eventBus.eventBusTLS says with what', { broker: shownUrl(this.#config.url) });
    }
    await Promise.all([this.#keep('sub', this.#subscriber, signal), this.#keep('pub', this.#publisher, signal)]);
  }

  publish(topic: string, payload: Buffer): void {
    this.#publisher.put({ topic, payload });
  }

  topicsChanged(): void {
    this.#subscriber.changed();
  }

  /** Connects again and again. */
  async #keep(role: Role, user: { use(link: MqttLink): void | Promise<void>; release(): void }, signal: AbortSignal): Promise<never> {
    const { url } = this.#config;
    for (let attempt = 0; ; attempt += 1) {
      try {
        await using link = await MqttLink.open(await this.#options(role), signal);
        const early = await until(signal, withTimeout(Promise.race([link.ended, Promise.resolve(user.use(link))]), SUBSCRIBE_MS, () => eventBusError('eventbus.broker-lost', `the broker has not answered subscriptions for ${SUBSCRIBE_MS / 1000} s`)));
        if (typeof early === 'string') throw eventBusError('eventbus.broker-lost', early);
        const since = Date.now();
        this.#said.clear();
        this.#tell('info', 'connected to the MQTT broker', role);
        const why = await until(signal, link.ended);
        this.#tell('warn', 'the connection to the MQTT broker has ended', role, { why });
        // Two agents under one name throw each other out; neither should do that four times a second.
        attempt = Date.now() - since > STEADY_MS ? 0 : Math.min(attempt, SHORT_PAUSE);
      } catch (error) {
        if (signal.aborted && isAbort(error)) throw error;
        const why = errorText(error);
        // For both connections once: the broker is the same.
        if (this.#said.passes(why)) this.#log.warn('the MQTT broker cannot be had, it is tried again until it can', { broker: shownUrl(url), err: why });
      } finally {
        user.release();
      }
      await sleep(backoffDelay(RETRY, attempt, Math.random()), signal);
    }
  }

  /** Said once a minute at most; the rest is detail. */
  #tell(level: 'info' | 'warn', what: string, role: Role, fields: LogFields = {}): void {
    const all = { broker: shownUrl(this.#config.url), connection: role, ...fields };
    if (this.#seen.passes(`${what} ${role}`)) this.#log[level](what, all);
    else this.#log.verbose(2, what, all);
  }

  #receive(arrival: Arrival): Promise<void> | undefined {
    if (!this.#incoming.admits(arrival.topic, 'of the external broker')) return undefined;
    if (this.#echoes?.swallow(arrival.topic, arrival.payload) === true) return undefined;
    return this.#incoming.take(arrival);
  }

  async #options(role: Role): Promise<LinkOptions> {
    const { url, subClientId, pubClientId, keepAlive, username, password, tls } = this.#config;
    const id = role === 'sub' ? subClientId : pubClientId;
    return {
      url,
      // The name stays the same, so that the broker keeps for us what comes while we are away.
      clientId: id === '' ? `hub-client-${role}-${this.#identity.name}` : id,
      clean: role === 'pub',
      keepAlive,
      username,
      password,
      tls: tls === undefined ? undefined : { ca: await read(tls.caFile), cert: await read(tls.certFile), key: await read(tls.keyFile) },
      version: 4,
      ...(role === 'sub' ? { onMessage: (arrival: Arrival) => this.#receive(arrival) } : {}),
    };
  }
}

async function read(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw eventBusError('eventbus.bad-file', `${file} cannot be read: ${errorText(cause)}`, cause);
  }
}
