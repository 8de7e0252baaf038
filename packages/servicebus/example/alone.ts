import 'reflect-metadata';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LinkStatus, WritableCell } from '@edge/core';
import { createMessage, Modules, type Message } from '@edge/protocol';
import { aloud, createMemoryStore, eventually, freePort, printingLogger, printLine, runModule, stayIfAsked, type PlayedModule } from '@edge/testing';
import { servicebus } from '../src/index.js';

// A rule of the cloud calls a service of this node, then a program of this node calls a URL of a rule. The cloud is played.
const service = createServer((request, response) => void response.end(`it is 21 °C, by ${request.method ?? ''} ${request.url ?? ''}`));
service.listen(0, '127.0.0.1');
await once(service, 'listening');
const port = await freePort();

let hub: PlayedModule | undefined;
const module = await runModule(servicebus, {
  store: createMemoryStore(),
  log: printingLogger(),
  config: { modules: { serviceBus: { enable: true, port } } },
  neighbours: (bus) => {
    hub = bus.play(Modules.edgeHub, 'hub', aloud('cloud', ({ route }) => (route.operation === 'upload' && route.resource === '/orders' ? { status_code: 200, body: 'order taken' } : 'OK')));
  },
});
(module.core.link as WritableCell<LinkStatus>).set({ connected: true, session: 1, since: Date.now() });
const tell = async (operation: string, resource: string, content: unknown = null): Promise<Message> => {
  const message = createMessage({ source: 'router_servicebus', group: 'user', operation, resource, content });
  printLine(`cloud: ${operation} ${resource}`);
  await module.core.bus.send({ module: Modules.serviceBus }, message);
  return message;
};

const call = await tell('POST', `${(service.address() as AddressInfo).port}:/temperature`, { header: {}, body: '', method: 'GET', url: '' });
const reply = await hub?.next(({ header }) => header.parentId === call.header.id, 60_000);
printLine(`the service said: ${Buffer.from((reply?.content as { body: string }).body, 'base64').toString()}`);

await tell('start', '/orders');
const ask = (): Promise<Response> => fetch(`http://127.0.0.1:${port}`, { method: 'POST', body: JSON.stringify({ method: 'POST', targetURL: '/orders', payload: '2 cups' }) });
const answer = await eventually(() => ask().catch(() => undefined), 'the server for programs is there');
printLine(`the program got: ${answer.status} ${await answer.text()}`);

await stayIfAsked();
await module.stop();
service.close();
