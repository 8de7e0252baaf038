import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { endpointKey } from '../../balance/endpoint.js';
import { HealthBook } from '../../balance/health.js';
import type { MeshService } from '../../data/service-table.js';
import { Backends } from '../backends.js';
import { Carrier } from '../carrier.js';
import type { CarrierSetup, FromCarrier, ToCarrier } from './messages.js';

// A program of its own: the thread that carries connections.
const port = parentPort as MessagePort;
const { limits, isLed, ...setup } = workerData as CarrierSetup;
const services = new Map<string, MeshService>();
let dead: ReadonlySet<string> = new Set();

const answer = (message: FromCarrier): void => port.postMessage(message);
const say = (text: string): void => answer({ kind: 'says', text });
const now = (): number => performance.now();
const health = new HealthBook();
const backends = new Backends({ ...setup, table: { get: (namespace, name) => services.get(`${namespace}/${name}`) }, health, isDead: (key) => dead.has(key), now, random: () => Math.random(), say });
const carrier = new Carrier({ limits, backends, placesOf: ({ addresses, port: own }) => addresses.map((address) => ({ address, port: isLed ? 0 : own })), now, say });

async function take(message: ToCarrier): Promise<void> {
  if (message.kind === 'end') {
    await carrier[Symbol.asyncDispose]();
    port.close();
    return;
  }
  if (message.kind === 'sync') await sync(message);
  const places = message.kind === 'sync' ? message.ports.map(({ id }) => [id, carrier.listening(id)] as const) : [];
  answer({ kind: 'done', places, connections: carrier.connections });
}

async function sync({ ports, changed, gone, dead: keys }: ToCarrier & { kind: 'sync' }): Promise<void> {
  for (const { namespace, name } of gone) services.delete(`${namespace}/${name}`);
  for (const service of changed) services.set(`${service.namespace}/${service.name}`, service);
  dead = new Set(keys);
  await carrier.sync(ports);
  backends.prune();
  health.keepOnly(new Set([...services.values()].flatMap((service) => service.ports.flatMap(({ endpoints }) => endpoints.map(endpointKey)))));
}

let before: Promise<void> = Promise.resolve();
// One after the other. What fails ends the thread, and with it the part of the mesh.
port.on('message', (message: ToCarrier) => void (before = before.then(() => take(message))));
