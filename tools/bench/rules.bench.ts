import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createMessage, targetUrlsTable, type Message, type TargetUrlRow } from '@edge/protocol';
import { createMemoryStore, freePort, runModule } from '@edge/testing';
import { servicebus } from '@edge/servicebus';
import { figure, median } from './figure.js';

const quick = process.argv.includes('--quick');
const REQUESTS = quick ? 500 : 3_000;
const RUNS = quick ? 1 : 3;
const AT_A_TIME = 32;
const URL_A = 'http://cloud/orders';
const BODY = JSON.stringify({ method: 'POST', targetURL: URL_A, payload: 'x'.repeat(180) });
const WHERE = `256 bytes, ${AT_A_TIME} at a time; service, programs and a played link in one process with the module, without the link's rate`;

/** Makes the requests, some at a time. @returns requests a second */
async function rate(one: () => Promise<void>): Promise<number> {
  let left = REQUESTS;
  const since = performance.now();
  await Promise.all(Array.from({ length: AT_A_TIME }, async () => {
    while (left-- > 0) await one();
  }));
  return (REQUESTS / (performance.now() - since)) * 1000;
}

const service = createServer((incoming, response) => void incoming.resume().once('end', () => response.end('ok'))).listen(0, '127.0.0.1');
await once(service, 'listening');
const store = createMemoryStore();
const urls = store.table<TargetUrlRow>(targetUrlsTable);
await store.commit(() => urls.put({ url: URL_A }));
const port = await freePort();
const replies = new Map<string, () => void>();
const module = await runModule(servicebus, {
  store,
  config: { modules: { serviceBus: { enable: true, port } }, edge: { serviceBus: { requestsPerSecond: 1_000_000 } } },
  neighbours: (bus) => void bus.play('websocket', 'hub', ({ header }: Message) => {
    replies.get(header.parentId ?? '')?.();
    return 'OK';
  }),
});
(module.core.link as unknown as { set(value: object): void }).set({ connected: true, session: 1, since: 0 });

const resource = `${(service.address() as AddressInfo).port}:/orders`;
const content = { header: {}, body: Buffer.from(BODY).toString('base64'), method: 'POST', url: '' };
const call = async (): Promise<void> => {
  const message = createMessage({ source: 'router_servicebus', group: 'user', operation: 'POST', resource, content });
  const replied = new Promise<void>((resolve) => replies.set(message.header.id, resolve));
  await module.core.bus.send({ module: 'servicebus' }, message);
  await replied;
  replies.delete(message.header.id);
};
const agent = new Agent({ keepAlive: true });
const ask = (): Promise<void> => new Promise((resolve, reject) => {
  const asked = request({ host: '127.0.0.1', port, method: 'POST', agent, headers: { 'Content-Length': BODY.length } }, (response) => {
    if (response.statusCode !== 200) reject(new Error(`the server for programs answered ${response.statusCode}`));
    response.resume().once('end', resolve);
  });
  asked.once('error', reject).end(BODY);
});

try {
  figure('rule to service on the node', await median(RUNS, () => rate(call)), 'requests/s', WHERE);
  figure('program on the node to rule', await median(RUNS, () => rate(ask)), 'requests/s', 'the same');
} finally {
  agent.destroy();
  await module.stop();
  service.close();
}
