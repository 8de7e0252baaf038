import 'reflect-metadata';
import { Resolver } from 'node:dns/promises';
import { eventually, freePort, ownLoopback, printingLogger, printLine, runModule, stayIfAsked } from '@edge/testing';
import { edgemesh } from '../src/index.js';
import { FakeFeed } from '../test/fake-feed.js';
import { service, slice } from '../test/names-scene.js';

// Services of the cluster by name, as metamanager's objects come and go; metamanager is played. The kernel is left alone: `proxy` is off.
const feed = new FakeFeed([service('web', { clusterIP: '10.96.0.5', ports: [{ name: 'http', port: 80, protocol: 'TCP' }] })]);
const [address, port] = [ownLoopback(), await freePort()];
const module = await runModule(edgemesh, {
  log: printingLogger(),
  config: { edge: { edgeMesh: { enable: true, address, dns: { port, upstream: ['127.0.0.1:9'] }, proxy: { enable: false } } } },
  neighbours: (bus) => feed.play(bus),
});
const client = new Resolver({ timeout: 5000, tries: 4 });
client.setServers([`${address}:${port}`]);
const ask = (name: string): Promise<string> => client.resolve4(name).then((found) => found.join(', '), (error: NodeJS.ErrnoException) => error.code ?? 'no answer');
const say = async (name: string): Promise<void> => printLine(`asked for ${name}: ${await ask(name)}`);

await eventually(async () => ((await ask('web.default.svc.cluster.local')) === '10.96.0.5' ? true : undefined), 'the service is known');
await say('web.default.svc.cluster.local');
await say('db.default.svc.cluster.local');

printLine('from metamanager: a headless service with two endpoints, one of them ready');
await feed.put(
  service('db', { clusterIP: 'None', ports: [{ port: 5432 }] }),
  slice('db', [{ addresses: ['10.0.0.7'], conditions: { ready: true } }, { addresses: ['10.0.0.8'], conditions: { ready: false } }], [{ port: 5432, protocol: 'TCP' }]),
);
await eventually(async () => ((await ask('db.default.svc.cluster.local')) === '10.0.0.7' ? true : undefined), 'the endpoint is known');
await say('db.default.svc.cluster.local');

printLine('from metamanager: web is gone');
await feed.remove(service('web', {}));
await eventually(async () => ((await ask('web.default.svc.cluster.local')) === 'ENOTFOUND' ? true : undefined), 'the service is forgotten');
await say('web.default.svc.cluster.local');

await stayIfAsked();
client.cancel();
await module.stop();
