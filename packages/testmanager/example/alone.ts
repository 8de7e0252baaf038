import 'reflect-metadata';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { aloud, freePort, printingLogger, printLine, runModule, stayIfAsked } from '@edge/testing';
import { testmanager } from '../src/index.js';

// The requests of upstream's edge tests, and the messages that they become. Who gets them is played.
const kubelet = createServer((_request, response) => void response.end('{"kind":"PodList","items":[]}'));
kubelet.listen(0, '127.0.0.1');
await once(kubelet, 'listening');
const port = await freePort();

const module = await runModule(testmanager, {
  log: printingLogger(),
  config: { modules: { dbTest: { enable: true } }, edge: { testManager: { port } } },
  neighbours: (bus) => {
    bus.play('metamanager', 'meta', aloud('metamanager'));
    bus.play('twin', 'twin', aloud('twin'));
    bus.play('edged', 'edged', aloud('edged', () => ({ host: '127.0.0.1', port: (kubelet.address() as AddressInfo).port })));
  },
});

await ask('POST', '/pods', { metadata: { name: 'web', namespace: 'default', uid: 'u1' }, spec: { containers: [] } });
await ask('PUT', '/devices', { added_devices: [{ id: 'default/dev1', name: 'dev1', twin: {} }], removed_devices: null });
await ask('DELETE', '/configmap', { metadata: { name: 'settings', uid: 'u2' } });
await ask('GET', '/pods');
await ask('POST', '/pods', {});

await stayIfAsked();
await module.stop();
kubelet.close();
kubelet.closeAllConnections();

async function ask(method: string, path: string, body?: object): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  printLine(`${method} ${path}: ${response.status} ${await response.text()}`);
}
