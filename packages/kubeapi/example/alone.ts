import { printLine, stayIfAsked } from '@edge/testing';
import { ApiServer, builtinResources, GarbageCollector, KubeApi, MemoryObjectStore, ResourceRegistry } from '../src/index.js';

// A Kubernetes-style API in memory, on loopback and without authentication: an object is created, watched, patched and refused.
// `--stay` keeps it for kubectl.
const registry = new ResourceRegistry(builtinResources());
const api = new KubeApi({ registry, store: await MemoryObjectStore.open(), garbageCollection: true });
const collector = new GarbageCollector({ api });
const server = new ApiServer({ backend: api, registry });
await api.resource('v1', 'namespaces').create({ metadata: { name: 'default' } });
collector.start();
const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
printLine(`kubectl --server=http://127.0.0.1:${port} get configmaps`);

const MAPS = '/api/v1/namespaces/default/configmaps';
const ask = async (method: string, path: string, body?: object, type = 'application/json'): Promise<void> => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers: { 'Content-Type': type }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  const { metadata, data, message } = (await response.json()) as { metadata?: { name?: string; resourceVersion?: string }; data?: unknown; message?: string };
  printLine(`${method} ${path}: ${response.status} ${message ?? `${metadata?.name ?? ''} version ${metadata?.resourceVersion ?? ''} ${JSON.stringify(data)}`}`);
};
const watching = await api.watch({ group: '', version: 'v1', resource: 'configmaps' }, {}, ({ type, object }) => printLine(`the watch sees: ${type} ${object.metadata.name}`));
await ask('POST', MAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'paint' }, data: { colour: 'blue' } });
await ask('PATCH', `${MAPS}/paint`, { data: { colour: 'green' } }, 'application/merge-patch+json');
await ask('PATCH', `${MAPS}/paint`, { metadata: { resourceVersion: '1' } }, 'application/merge-patch+json');
await ask('DELETE', `${MAPS}/brush`);

await stayIfAsked();
watching.close();
await collector.stop();
await server.close();
api.close();
