import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { HealthBook } from '../src/balance/health.js';
import type { Strategy } from '../src/balance/strategy.js';
import type { Endpoint, MeshService } from '../src/data/service-table.js';
import { Backends } from '../src/proxy/backends.js';
import { Carrier } from '../src/proxy/carrier.js';
import { PROXY_LIMITS, type ProxyLimits } from '../src/proxy/limits.js';
import type { CarriedPort } from '../src/proxy/plan-ways.js';

export const local = (port: number, more: Partial<Endpoint> = {}): Endpoint => ({ address: '127.0.0.1', port, ready: true, ...more });

export function service(name: string, endpoints: readonly Endpoint[], more: Partial<MeshService> = {}, protocol: 'TCP' | 'UDP' = 'TCP'): MeshService {
  return { namespace: 'default', name, clusterIPs: ['127.0.0.1'], headless: false, ports: [{ protocol, port: 80, endpoints }], hosts: [], foreignProxy: false, localOnly: false, annotations: {}, ...more };
}

/** A carrier on the loopback for services that are given. */
export class CarrierScene implements AsyncDisposable {
  readonly services = new Map<string, MeshService>();
  readonly said: string[] = [];
  readonly health = new HealthBook();
  nowMs = 1_000;
  readonly carrier: Carrier;

  constructor(limits: Partial<ProxyLimits> = {}, strategy: Strategy = 'RoundRobin') {
    const say = (text: string): void => void this.said.push(text);
    const now = (): number => this.nowMs;
    const table = { get: (namespace: string, name: string) => this.services.get(`${namespace}/${name}`) };
    const backends = new Backends({ table, health: this.health, node: 'n1', locality: 'spread', strategy, isDead: () => false, now, random: () => 0, say });
    this.carrier = new Carrier({ limits: { ...PROXY_LIMITS, ...limits }, backends, placesOf: ({ addresses }) => addresses.map((address) => ({ address, port: 0 })), now, say });
  }

  /** @returns the port that it listens on */
  async open(given: MeshService, routes?: CarriedPort['routes']): Promise<number> {
    this.services.set(`default/${given.name}`, given);
    const { protocol, port } = given.ports[0] as MeshService['ports'][number];
    const id = `${given.name} ${protocol}`;
    await this.carrier.sync([{ id, namespace: 'default', name: given.name, addresses: given.clusterIPs, protocol, port, routes }]);
    return this.carrier.listening(id)[0]?.port as number;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.carrier[Symbol.asyncDispose]();
  }
}

/** A server on a free port, whose connections end with it. */
export async function serve(server: Server, port = 0): Promise<{ readonly port: number } & AsyncDisposable> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', 1024, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

export const tcp = (onClient: (socket: Socket) => void): Promise<{ readonly port: number } & AsyncDisposable> => serve(createServer({ allowHalfOpen: true }, onClient));
