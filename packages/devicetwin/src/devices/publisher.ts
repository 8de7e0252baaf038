import { errorText, type Logger, type MessageBus } from '@edge/core';
import { createMessage, Groups, Modules, Operations } from '@edge/protocol';

const EVENT_BUS = { module: Modules.eventBus } as const;

/** Results on their way to clients of MQTT. Without an event bus nobody could hear them. */
export class Publisher {
  readonly #bus: MessageBus;
  readonly #log: Logger;
  #lost = 0;

  constructor(deps: { bus: MessageBus; log: Logger }) {
    this.#bus = deps.bus;
    this.#log = deps.log;
  }

  /** Resolves when the event bus has it; what it has no place for is lost and counted. */
  async publish(topic: string, payload: string): Promise<void> {
    if (!this.#bus.reaches(EVENT_BUS)) return;
    const message = createMessage({ source: Modules.deviceTwin, group: Groups.bus, operation: Operations.publish, resource: topic, content: payload });
    try {
      await this.#bus.send(EVENT_BUS, message);
      if (this.#lost > 0) this.#log.info('the event bus takes results again', { lost: this.#lost });
      this.#lost = 0;
    } catch (error) {
      this.#lost += 1;
      if (this.#lost === 1) this.#log.warn('a result could not be given to the event bus (said once until it takes them again)', { topic, err: errorText(error) });
    }
  }
}
