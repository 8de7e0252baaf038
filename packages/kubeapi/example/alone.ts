import { ApiServer, builtinResources, GarbageCollector, KubeApi, MemoryObjectStore, ResourceRegistry } from '../src/index.js';

/** A Kubernetes-style API in memory, on loopback and without authentication, until Ctrl-C. */
const registry = new ResourceRegistry(builtinResources());
const store = await MemoryObjectStore.open();
const api = new KubeApi({ registry, store, garbageCollection: true });
const collector = new GarbageCollector({ api });
const server = new ApiServer({ backend: api, registry });

await api.resource('v1', 'namespaces').create({ metadata: { name: 'default' } });
collector.start();
const { port } = await server.listen({ host: '127.0.0.1', port: Number(process.argv[2] ?? 0) });
process.stdout.write(`kubectl --server=http://127.0.0.1:${port} get all\n`);

process.once('SIGINT', () => {
  void collector.stop().then(() => server.close()).then(() => api.close());
});
