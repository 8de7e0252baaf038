import { createMemoryStore, describeModule, freePort } from '@edge/testing';
import { servicebus } from '../src/index.js';

describeModule(servicebus, async () => {
  const store = createMemoryStore();
  const urls = store.table({ name: 'target_urls', columns: { url: 'text' }, key: ['url'] });
  await store.commit(() => urls.put({ url: 'http://cloud/echo' }));
  return { store, config: { modules: { serviceBus: { enable: true, port: await freePort() } } } };
});
