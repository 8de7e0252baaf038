import type { IClientOptions, MqttClient } from 'mqtt';
import { abortError, errorText } from '@edge/core';
import { AckLine } from '../ack-line.js';
import { ack } from '../broker/encode.js';
import { eventBusError } from '../errors.js';
import type { Arrival } from '../incoming.js';
import { until } from '../until.js';
import { shownUrl } from '../shown-url.js';

/** The one file that knows the MQTT client library. */

export interface LinkOptions {
  readonly url: string;
  readonly clientId: string;
  /** False: the broker keeps subscriptions and messages of QoS 1 while the client is away. */
  readonly clean: boolean;
  /** Seconds. */
  readonly keepAlive: number;
  readonly username: string;
  readonly password: string;
  /** PEM. Without them a broker behind TLS is not checked. */
  readonly tls: { readonly ca: Buffer; readonly cert: Buffer; readonly key: Buffer } | undefined;
  /** 4 is MQTT 3.1.1, 3 is MQTT 3.1. */
  readonly version: 3 | 4;
  /** Acknowledged to the broker when it resolves; undefined: at once. A rejection ends the connection, so that the broker sends it again. */
  readonly onMessage?: (arrival: Arrival) => Promise<void> | undefined;
}

const CONNECT_MS = 10_000;
/** Messages under way into the agent; then the connection is read no further. */
const MAX_OPEN = 512;
const NOT_TAKEN_MS = 1000;
const LIBRARY_SCHEMES: Readonly<Record<string, 'mqtt' | 'mqtts' | 'ws' | 'wss'>> = { tcp: 'mqtt', mqtt: 'mqtt', ssl: 'mqtts', tls: 'mqtts', mqtts: 'mqtts', ws: 'ws', wss: 'wss' };

/** Return code 1 of CONNACK: the broker does not speak this version. */
const WRONG_VERSION = 1;

/** One connection to a broker, from CONNACK to its end. It never connects again by itself. */
export class MqttLink implements AsyncDisposable {
  /** Resolves with the reason when it is over. */
  readonly ended: Promise<string>;
  readonly #client: MqttClient;
  readonly #acks: AckLine;
  readonly #blocked: (() => void)[] = [];
  #open = 0;
  #why = 'connection lost';
  #retry: NodeJS.Timeout | undefined;

  private constructor(client: MqttClient, onMessage: LinkOptions['onMessage']) {
    this.#client = client;
    this.#acks = new AckLine((bytes) => {
      if (client.connected) client.stream.write(bytes);
    });
    this.ended = new Promise((resolve) => client.once('close', () => resolve(this.#why)));
    client.on('error', (error) => {
      this.#why = errorText(error);
      // What comes after bytes that make no sense makes none either.
      if (client.connected) client.end(true);
    });
    // Not the event `message`: the library takes the return of a listener for the end of the work and acknowledges.
    client.handleMessage = (packet, proceed) => {
      if (packet.cmd !== 'publish') return proceed();
      const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload;
      const { topic, qos, messageId = 0 } = packet;
      this.#receive(qos, messageId, onMessage?.({ topic, payload, qos }), proceed);
    };
  }

  /**
   * Connects.
   * @throws EdgeError `eventbus.refused` naming broker and reason, `core.aborted`
   */
  static async open(options: LinkOptions, signal: AbortSignal): Promise<MqttLink> {
    // An agent that is the broker itself never loads the library.
    const { connect } = await import('mqtt');
    if (signal.aborted) throw abortError(signal);
    const client = connect(libraryUrl(options.url), clientOptions(options));
    const link = new MqttLink(client, options.onMessage);
    let cause: unknown;
    // With an unchecked broker the library keeps errors of the connection to itself.
    client.stream.on('error', (error: unknown) => (cause ??= error));
    try {
      const connected = new Promise<void>((resolve, reject) => {
        client.once('connect', () => resolve());
        client.once('error', reject);
        client.once('close', () => reject(cause instanceof Error ? cause : new Error('the connection was closed')));
      });
      await until(signal, connected);
      return link;
    } catch (error) {
      client.end(true);
      if (signal.aborted) throw error;
      if (returnCode(error) === WRONG_VERSION && options.version === 4) return MqttLink.open({ ...options, version: 3 }, signal);
      throw eventBusError('eventbus.refused', `MQTT broker ${shownUrl(options.url)}: ${errorText(error)}`, error);
    }
  }

  /** Resolves with the topics that the broker did not grant. */
  subscribe(topics: readonly string[]): Promise<string[]> {
    if (topics.length === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      this.#client.subscribe([...topics], { qos: 1 }, (error, _asked, packet) => {
        // With a refusal the library hands over an error and the broker's answer, one code a topic.
        const codes = packet?.granted;
        if (codes === undefined) reject(eventBusError('eventbus.broker-lost', `subscribing failed: ${errorText(error)}`, error));
        else resolve(topics.filter((_topic, at) => Number(codes[at]) > 2));
      });
    });
  }

  unsubscribe(topics: readonly string[]): Promise<void> {
    if (topics.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#client.unsubscribe([...topics], (error) => (error ? reject(eventBusError('eventbus.broker-lost', `unsubscribing failed: ${errorText(error)}`, error)) : resolve()));
    });
  }

  /** Publishes with QoS 1; calls back when the broker has it. When the connection ends first, it may never call back. */
  publish(topic: string, payload: Buffer, onTaken: () => void): void {
    this.#client.publish(topic, payload, { qos: 1 }, (error) => {
      if (!error) onTaken();
    });
  }

  /** Ends it for a reason of ours. */
  cut(why: string): void {
    this.#why = why;
    this.#client.end(true);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#retry);
    for (const proceed of this.#blocked.splice(0)) proceed();
    // In good order while it stands: a broker would send the last will of one that vanishes.
    const force = !this.#client.connected;
    await new Promise<void>((resolve) => {
      const late = setTimeout(() => this.#client.stream.destroy(), 1000);
      this.#client.stream.once('close', () => {
        clearTimeout(late);
        resolve();
      });
      this.#client.end(force);
      if (this.#client.stream.closed) {
        clearTimeout(late);
        resolve();
      }
    });
  }

  #receive(qos: 0 | 1 | 2, id: number, taken: Promise<void> | undefined, proceed: (error?: Error) => void): void {
    if (qos === 2) {
      // Never asked for. The library's own bookkeeping needs the outcome before it goes on.
      (taken ?? Promise.resolve()).then(() => proceed(), (error: Error) => {
        this.#notTaken(error);
        proceed(error);
      });
      return;
    }
    if (qos === 1) {
      const bytes = ack('puback', id);
      if (taken === undefined) this.#acks.add(bytes);
      else taken.then(this.#acks.reserve(bytes), (error: unknown) => this.#notTaken(error));
    }
    this.#count(taken);
    // The library handles one packet after the other and acknowledges when this one is done. An error makes it go on without an
    // acknowledgement, which we send ourselves, later: so many messages can be under way.
    const goOn = (): void => proceed(qos === 1 ? new Error('acknowledged later') : undefined);
    if (this.#open < MAX_OPEN) goOn();
    else this.#blocked.push(goOn);
  }

  #count(taken: Promise<void> | undefined): void {
    if (taken === undefined) return;
    this.#open += 1;
    const done = (): void => {
      this.#open -= 1;
      this.#blocked.shift()?.();
    };
    taken.then(done, done);
  }

  #notTaken(error: unknown): void {
    this.#retry ??= setTimeout(() => this.cut(`a message could not be taken, the broker has to send it again: ${errorText(error)}`), NOT_TAKEN_MS);
  }
}

function libraryUrl(url: string): string {
  const scheme = url.slice(0, url.indexOf(':'));
  return `${LIBRARY_SCHEMES[scheme] ?? scheme}${url.slice(scheme.length)}`;
}

function clientOptions({ clientId, clean, keepAlive, username, password, tls, version, url }: LinkOptions): IClientOptions {
  const secure = /^(ssl|tls|mqtts|wss):/.test(url);
  return {
    clientId,
    clean,
    keepalive: keepAlive,
    protocolId: version === 3 ? 'MQIsdp' : 'MQTT',
    protocolVersion: version,
    connectTimeout: CONNECT_MS,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    ...(username === '' ? {} : { username, password }),
    ...(secure ? (tls === undefined ? { rejectUnauthorized: false } : { ca: tls.ca, cert: tls.cert, key: tls.key, rejectUnauthorized: true }) : {}),
  };
}

function returnCode(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
