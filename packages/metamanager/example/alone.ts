import 'reflect-metadata';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, type LinkStatus, type WritableCell } from '@edge/core';
import { createMessage, createResponse } from '@edge/protocol';
import { openStore } from '@edge/store';
import { aloud, printLine, runModule, stayIfAsked } from '@edge/testing';
import { metamanager } from '../src/index.js';

// A ConfigMap is asked for twice: the cloud answers the first time, the node's own store when the link is down. A pod is pushed and listed. The
// cloud is played; the store is a real one.
const folder = mkdtempSync(join(tmpdir(), 'metamanager-'));
const store = await openStore({ path: join(folder, 'edgecore.db'), log: silentLogger });
const paint = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'paint', namespace: 'default', uid: 'u1', resourceVersion: '7' }, data: { colour: 'blue' } };
const module = await runModule(metamanager, {
  store,
  neighbours: (bus) => {
    bus.play('websocket', 'hub', aloud('cloud', (message) => (message.route.operation === 'query' ? createResponse(message, paint, { source: 'edgecontroller', group: 'resource' }) : undefined)));
    bus.play('edged', 'edged', aloud('edged'));
  },
});
const link = module.core.link as WritableCell<LinkStatus>;
const ask = async (resource: string): Promise<void> => {
  const { route, content } = await module.core.bus.request({ module: 'metamanager' }, createMessage({ source: 'edged', group: 'meta', operation: 'query', resource }));
  printLine(`edged asks for ${resource}, ${route.source} answers: ${JSON.stringify(content)}`);
};

link.set({ connected: true, session: 1, since: Date.now() });
await ask('default/configmap/paint');
link.set({ connected: false, session: 1, since: Date.now(), reason: 'the cable is out' });
printLine('the link is down');
await ask('default/configmap/paint');

const pod = { kind: 'Pod', apiVersion: 'v1', metadata: { name: 'web', namespace: 'default', uid: 'u2', resourceVersion: '8' }, spec: { containers: [] } };
printLine('from the cloud: a pod');
await module.core.bus.send({ group: 'meta' }, createMessage({ source: 'edgecontroller', group: 'resource', operation: 'insert', resource: 'default/pod/web', content: pod, resourceVersion: '8' }));
await ask('default/pod');

await stayIfAsked();
await store.flush();
await module.stop();
await store.close();
rmSync(folder, { recursive: true });
