import { createMemoryStore, describeModule } from '@edge/testing';
import { metaserver } from '../src/index.js';
import { FakeMeta } from './fake-meta.js';

describeModule(metaserver, async () => ({
  store: createMemoryStore(),
  config: { modules: { metaManager: { metaServer: { enable: true, server: '127.0.0.1:0' } } } },
  neighbours: (bus) => new FakeMeta().play(bus),
}));
