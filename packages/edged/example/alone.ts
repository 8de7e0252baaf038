import 'reflect-metadata';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LinkStatus, WritableCell } from '@edge/core';
import type { Pod } from '@edge/protocol';
import { printLine, runModule, stayIfAsked, testIdentity } from '@edge/testing';
import { edged } from '../src/index.js';
import { PlayedCloud } from '../test/scene.js';

// A pod runs as a real process and is deleted again; metamanager and the cloud are played.
const folder = mkdtempSync(join(tmpdir(), 'edged-'));
const cloud = new PlayedCloud();
let shown = 0;
const show = (): void => {
  for (const { route, content } of cloud.received.slice(shown)) {
    printLine(`to metamanager: ${route.operation} ${route.resource}  ${(typeof content === 'string' ? content : JSON.stringify(content) ?? '').slice(0, 160)}`);
  }
  shown = cloud.received.length;
};
const module = await runModule(edged, {
  identity: testIdentity('edge-1', ['127.0.0.1']),
  config: { modules: { edged: { rootDirectory: folder, tailoredKubeletConfig: { podLogsDir: join(folder, 'logs'), readOnlyPort: 0 } } }, edge: { runtime: 'process' } },
  neighbours: (bus) => cloud.join(bus),
});
(module.core.link as WritableCell<LinkStatus>).set({ connected: true, session: 1, since: Date.now() });
await cloud.until('the node is registered', () => cloud.node !== undefined);
show();

const pod: Pod = {
  metadata: { name: 'hello', namespace: 'default', uid: 'u2' },
  spec: { nodeName: 'edge-1', restartPolicy: 'Always', containers: [{ name: 'c', image: 'none', command: ['/bin/sh', '-c', 'echo hello from $NODE; exec sleep 60'], env: [{ name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } }] }] },
  status: { phase: 'Pending' },
};
printLine('from the cloud: pod default/hello');
await cloud.push(pod, 'insert');
await cloud.until('it runs', () => cloud.pods.get('default/hello')?.status?.phase === 'Running' && readLog() !== '');
show();
printLine(`its log: ${readLog()}`);
await stayIfAsked();

printLine('from the cloud: pod default/hello is to end');
await cloud.startDeletion(pod, 5);
await cloud.until('it is gone', () => !cloud.pods.has('default/hello'));
show();
await cloud.until('nothing is left of it', () => readdirSync(join(folder, 'process-runtime'), { recursive: true, encoding: 'utf8' }).every((path) => !path.endsWith('.json')));
printLine('nothing is left of it');
await module.stop();
rmSync(folder, { recursive: true });

function readLog(): string {
  try {
    return readFileSync(join(folder, 'logs', 'default_hello_u2', 'c', '0.log'), 'utf8').trim();
  } catch {
    return '';
  }
}
