import { expect, it } from 'vitest';
import { PROXY_LIMITS } from '../src/proxy/limits.js';
import type { CarriedPort } from '../src/proxy/plan-ways.js';
import { CarrierThread } from '../src/proxy/thread/carrier-thread.js';
import { local, service } from './carrier-scene.js';

const setup = { limits: { ...PROXY_LIMITS, connections: 10 }, node: 'n1', locality: 'spread', strategy: 'RoundRobin', isLed: false } as const;
const port: CarriedPort = { id: 'web TCP', namespace: 'default', name: 'web', addresses: ['127.0.0.1'], protocol: 'TCP', port: 80, routes: undefined };
/** Stands for the carrier: says what it heard. */
const PLAYED = `
  const { parentPort } = require('node:worker_threads');
  parentPort.on('message', (message) => {
    if (message.kind === 'end') return parentPort.close();
    const { changed = [], gone = [], ports = [] } = message;
    parentPort.postMessage({ kind: 'says', text: 'changed ' + changed.map(({ name }) => name) + ' gone ' + gone.map(({ name }) => name) });
    parentPort.postMessage({ kind: 'done', connections: 0, places: ports.map(({ id }) => [id, [{ address: '127.0.0.1', port: 80 }]]) });
  });`;

function thread(code: string): { carrier: CarrierThread; said: string[]; failure: Promise<void> } {
  const said: string[] = [];
  let fail: () => void = () => undefined;
  const failure = new Promise<void>((resolve) => (fail = resolve));
  return { carrier: new CarrierThread({ setup, code, say: (text) => void said.push(text), onFailure: () => fail() }), said, failure };
}

it('[edgemesh-47.2] there is no thread until something is carried, it is told of services once, and it ends with the last port', async () => {
  const { carrier, said } = thread(PLAYED);
  await using _carrier = carrier;
  const [web, api] = [service('web', [local(1)]), service('api', [local(2)])];
  await carrier.sync({ ports: [], services: [], dead: [] });
  expect([carrier.isRunning, await carrier.connections()]).toEqual([false, 0]);
  await carrier.sync({ ports: [port], services: [web, api], dead: [] });
  expect([carrier.isRunning, carrier.listening('web TCP')]).toEqual([true, [{ address: '127.0.0.1', port: 80 }]]);
  await carrier.sync({ ports: [port], services: [web], dead: [] });
  await carrier.sync({ ports: [port], services: [service('web', [local(3)])], dead: [] });
  expect(said).toEqual(['changed web,api gone ', 'changed  gone api', 'changed web gone ']);
  await carrier.sync({ ports: [], services: [], dead: [] });
  expect([carrier.isRunning, carrier.listening('web TCP')]).toEqual([false, []]);
  // Another one knows nothing of what its predecessor was told.
  await carrier.sync({ ports: [port], services: [web], dead: [] });
  expect(said.at(-1)).toBe('changed web gone ');
});

it('[edgemesh-47.3] a thread that ends by itself is told, and whoever asks it hears why', async () => {
  const { carrier, failure } = thread(`require('node:worker_threads').parentPort.on('message', () => { throw new Error('out of sorts'); });`);
  await using _carrier = carrier;
  await expect(carrier.sync({ ports: [port], services: [], dead: [] })).rejects.toMatchObject({ code: 'edgemesh.carrier', message: expect.stringContaining('out of sorts') as string });
  await failure;
  await expect(carrier.sync({ ports: [], services: [], dead: [] })).rejects.toMatchObject({ code: 'edgemesh.carrier' });
  const endless = thread(`const all = []; require('node:worker_threads').parentPort.on('message', () => { for (;;) all.push(new Array(10000).fill(0.5)); });`);
  // More memory than it may have: the agent lives on.
  await expect(endless.carrier.sync({ ports: [port], services: [], dead: [] })).rejects.toMatchObject({ code: 'edgemesh.carrier' });
});

it('[edgemesh-47.4] a thread that fails as it is ended is gone, and its end is no failure', async () => {
  const { carrier } = thread(PLAYED.replace("return parentPort.close();", "throw new Error('late');"));
  await carrier.sync({ ports: [port], services: [], dead: [] });
  await carrier[Symbol.asyncDispose]();
  expect(carrier.isRunning).toBe(false);
  await carrier.sync({ ports: [port], services: [], dead: [] });
  expect(carrier.isRunning).toBe(true);
  await carrier[Symbol.asyncDispose]();
});
