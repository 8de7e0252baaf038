import { setMaxListeners } from 'node:events';
import { token, type CloudLink, type Life, type Logger, type MessageBus, type Runnable, type Store, type Token } from '@edge/core';
import type { Message } from '@edge/protocol';
import { Budget } from './budget.js';
import { Calls } from './calls/calls.js';
import { Repeats } from './calls/repeats.js';
import { ServiceClient } from './calls/service-client.js';
import type { ServiceBusConfig } from './config.js';
import { LocalServer } from './uploads/local-server.js';
import { TargetUrls } from './uploads/target-urls.js';
import { Uploads } from './uploads/uploads.js';

export interface ServiceBusDeps {
  readonly config: ServiceBusConfig;
  readonly bus: MessageBus;
  readonly store: Store;
  readonly link: CloudLink;
  readonly log: Logger;
}

/** Bytes of requests and answers that are under way, each way. */
const BODY_BYTES = 64 * 1024 * 1024;

/** HTTP between the cloud's rules and services on this node, both ways. */
export class ServiceBus implements Runnable {
  readonly #urls: TargetUrls;
  readonly #client: ServiceClient;
  readonly #calls: Calls;
  readonly #server: LocalServer;
  #signal: AbortSignal = AbortSignal.abort();

  constructor(deps: ServiceBusDeps) {
    const { config, bus, store, link, log } = deps;
    const limits = { count: config.maxRequests, bytes: BODY_BYTES };
    this.#urls = new TargetUrls({ store });
    this.#client = new ServiceClient(config.calls);
    this.#calls = new Calls({ client: this.#client, repeats: new Repeats(config.calls.repeatWindowMs), budget: new Budget(limits), bus, log });
    const uploads = new Uploads({ urls: this.#urls, bus, link, log, timeoutMs: config.server.timeoutMs, body: config.server.body });
    this.#server = new LocalServer({ config: config.server, urls: this.#urls, uploads, budget: new Budget(limits), log });
  }

  async run({ signal, ready }: Life): Promise<void> {
    this.#signal = signal;
    // Each call under way listens for the end.
    setMaxListeners(0, signal);
    // Ready without a cloud and without the port: rules work as far as they can.
    ready();
    try {
      await this.#server.run(signal);
    } finally {
      await this.#calls.settled();
      this.#client[Symbol.dispose]();
    }
  }

  callService(message: Message): void {
    this.#calls.begin(message, this.#signal);
  }

  async allowUrl(url: string): Promise<void> {
    await this.#urls.add(url);
  }

  async forbidUrl(url: string): Promise<void> {
    await this.#urls.remove(url);
  }
}

export const ServiceBusEntry: Token<ServiceBus> = token<ServiceBus>('servicebus', 'ServiceBus');
