import 'reflect-metadata';
import { eventually, printLine, stayIfAsked } from '@edge/testing';
import { brief, object, Scene } from '../test/scene.js';

// The node's own API with the cloud, without it, and with it again. Cloud and metamanager are played.
await using scene = await Scene.open({ connected: true, objects: [object('Pod', 'web', 5, { spec: { containers: [] } })] });
printLine(`kubectl --server=http://127.0.0.1:${scene.port} get configmaps`);
const ask = async (method: string, path: string, body?: unknown): Promise<void> => {
  const asked = scene.cloud.asked.length;
  const { code, json, headers } = await scene.call(method, path, body);
  for (const { Verb, Key } of scene.cloud.asked.slice(asked)) printLine(`to the cloud: ${Verb} ${Key}`);
  const names = (json?.items as { metadata: { name: string } }[] | undefined)?.map(({ metadata }) => metadata.name).join(', ');
  printLine(`${method} ${path}: ${code} ${names ?? json?.metadata?.name ?? json?.message ?? ''}${headers['warning'] ? `  (warning: ${String(headers['warning'])})` : ''}`);
};
const MAPS = '/api/v1/namespaces/default/configmaps';

await scene.inCloud('v1', 'configmaps', { metadata: { name: 'paint' }, data: { colour: 'blue' } });
await ask('GET', `${MAPS}/paint`);
const watch = await scene.watch(`${MAPS}?watch=true`);
await ask('POST', MAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'brush', namespace: 'default' }, data: { size: '3' } });
await eventually(async () => (brief(watch.events).includes('ADDED brush') ? true : undefined), 'the watch has seen it');
printLine(`the watch has seen: ${brief(watch.events).join(', ')}`);
watch.close();

scene.disconnect();
printLine('the link is down');
await ask('GET', MAPS);
await ask('POST', MAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'late', namespace: 'default' } });

scene.connect();
printLine('the link is open');
await ask('GET', MAPS);
await stayIfAsked();
