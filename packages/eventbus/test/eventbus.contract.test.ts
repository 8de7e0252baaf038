import { createMemoryStore, describeModule, freePort } from '@edge/testing';
import { eventbus } from '../src/index.js';

for (const mqttMode of [0, 1, 2]) {
  describeModule(eventbus, async () => ({
    store: createMemoryStore(),
    config: { modules: { eventBus: { mqttMode, mqttServerInternal: `tcp://127.0.0.1:${await freePort()}`, mqttServerExternal: `tcp://127.0.0.1:${await freePort()}` } } },
  }));
}
