import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startMinicloud } from '../src/index.js';

// A cloud in a temporary folder: what kubectl would write and read, by its own API. `--stay` keeps it for kubectl and nodes.
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const folder = await mkdtemp(join(tmpdir(), 'minicloud-alone-'));
{
  await using cloud = await startMinicloud({ dataDir: folder });
  print(`API         ${cloud.url}`);
  print(`kubectl     kubectl --kubeconfig ${cloud.kubeconfigPath} get nodes`);
  print(`edgeHub     httpServer: https://${cloud.httpsAddress}, websocket.server: ${cloud.hubAddress}`);
  print(`join token  ${cloud.token().slice(0, 16)}…`);

  await cloud.api.resource('v1', 'nodes').create({ metadata: { name: 'edge-1' } });
  await cloud.api.resource('v1', 'pods').create({ metadata: { name: 'web', namespace: 'default' }, spec: { nodeName: 'edge-1', containers: [{ name: 'app', image: 'web:1' }] } });
  for (const { metadata, spec } of (await cloud.api.resource('v1', 'pods').list()).items) {
    print(`pod ${metadata.namespace ?? ''}/${metadata.name ?? ''} is for node ${(spec as { nodeName: string }).nodeName}`);
  }
  print(`nodes that are linked: ${cloud.hub.sessions.length}`);
  if (process.argv.includes('--stay')) await interrupted();
}
await rm(folder, { recursive: true });

function interrupted(): Promise<void> {
  print('stays until Ctrl-C');
  return new Promise((resolve) => {
    const alive = setInterval(() => undefined, 60_000);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(clearInterval(alive)));
  });
}
