import { Complaints, backoffDelay, errorText, sleep, untilAborted, type Logger } from '@edge/core';
import { readAccess } from './broker/access.js';
import { Broker } from './broker/broker.js';
import { listen, type Listener } from './broker/listen.js';
import { Access } from './broker/access.js';
import type { EmbeddedConfig } from './config.js';
import { shownUrl } from './shown-url.js';
import type { Incoming } from './incoming.js';
import { RETRY, type Side } from './side.js';

/** The broker in here: listens, tries again when it cannot. */
export class EmbeddedSide implements Side {
  readonly #config: EmbeddedConfig;
  readonly #log: Logger;
  readonly #broker: Broker;
  readonly #said = new Complaints();

  constructor(deps: { config: EmbeddedConfig; incoming: Incoming; log: Logger }) {
    this.#config = deps.config;
    this.#log = deps.log;
    this.#broker = new Broker({ ...deps, access: new Access({}) });
  }

  async run(signal: AbortSignal): Promise<void> {
    try {
      await using listener = await this.#listen(signal);
      this.#log.info('MQTT broker listens', { address: shownUrl(this.#config.url), port: listener.port });
      await untilAborted(signal);
    } finally {
      this.#broker.close('the agent stops');
    }
  }

  publish(topic: string, payload: Buffer): void {
    this.#broker.publishOwn(topic, payload);
  }

  topicsChanged(): void {
    // What the agent listens to is asked for with each message.
  }

  async #listen(signal: AbortSignal): Promise<Listener> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        this.#broker.access = await readAccess(this.#config.passwordFile, this.#config.rulesFile);
        return await listen(this.#config, (stream, peer) => this.#broker.accept(stream, peer));
      } catch (error) {
        const why = errorText(error);
        if (this.#said.passes(why)) this.#log.error('the MQTT broker cannot serve, it is tried again until it can', { err: why });
      }
      await sleep(backoffDelay(RETRY, attempt, Math.random()), signal);
    }
  }
}
