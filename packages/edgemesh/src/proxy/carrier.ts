import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { errorText } from '@edge/core';
import { hostPort } from '@edge/protocol';
import type { Backends } from './backends.js';
import { HttpPort } from './http-port.js';
import { Room, type ProxyLimits } from './limits.js';
import type { CarriedPort } from './plan-ways.js';
import { carryTcp } from './tcp-port.js';
import { UdpPort } from './udp-port.js';

/** Where a port listens: port 0 takes a free one. */
export interface Place {
  readonly address: string;
  readonly port: number;
}

export interface CarrierDeps {
  readonly limits: ProxyLimits;
  readonly backends: Backends;
  /** Where a port is to listen. */
  readonly placesOf: (port: CarriedPort) => readonly Place[];
  readonly now: () => number;
  /** Says that a place cannot be had. */
  readonly say: (text: string) => void;
}

interface Listener extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
}

interface Open {
  port: CarriedPort;
  readonly listeners: Map<string, Listener>;
  readonly http: HttpPort;
}

/** Carries connections in the agent itself: a listener for each port of a service that needs it. */
export class Carrier implements AsyncDisposable {
  readonly #deps: CarrierDeps;
  readonly #room: Room;
  readonly #open = new Map<string, Open>();
  readonly #clients = new Set<Socket>();

  constructor(deps: CarrierDeps) {
    this.#deps = deps;
    this.#room = new Room({ limit: deps.limits.connections });
  }

  /** Listens for these ports and no others. Connections of a port that goes are carried to their end. A place that cannot be had is tried again at the next call. */
  async sync(ports: readonly CarriedPort[]): Promise<void> {
    const wanted = new Map(ports.map((port) => [port.id, port]));
    for (const [id, open] of this.#open) {
      if (wanted.has(id)) continue;
      this.#open.delete(id);
      for (const listener of open.listeners.values()) await listener[Symbol.asyncDispose]();
    }
    for (const port of ports) await this.#listen(port);
  }

  /** Where a port listens now. */
  listening(id: string): readonly Place[] {
    return [...(this.#open.get(id)?.listeners.values() ?? [])].map(({ address, port }) => ({ address, port }));
  }

  get connections(): number {
    return this.#room.taken;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#open.values()];
    this.#open.clear();
    for (const client of this.#clients) client.destroy();
    for (const { listeners, http } of all) {
      http[Symbol.dispose]();
      for (const listener of listeners.values()) await listener[Symbol.asyncDispose]();
    }
  }

  async #listen(port: CarriedPort): Promise<void> {
    const open = this.#open.get(port.id) ?? this.#openPort(port);
    open.port = port;
    const places = new Map(this.#deps.placesOf(port).map((place) => [hostPort(place.address, place.port), place]));
    for (const [key, listener] of open.listeners) {
      if (places.has(key)) continue;
      open.listeners.delete(key);
      await listener[Symbol.asyncDispose]();
    }
    for (const [key, place] of places) {
      if (open.listeners.has(key)) continue;
      try {
        open.listeners.set(key, await (port.protocol === 'UDP' ? this.#udp(open, place) : this.#tcp(open, place)));
      } catch (error) {
        this.#deps.say(`service ${port.namespace}/${port.name}: ${key} cannot be had: ${errorText(error)}`);
      }
    }
  }

  #openPort(port: CarriedPort): Open {
    const { limits, backends } = this.#deps;
    const http = new HttpPort({
      limits,
      routes: () => open.port.routes ?? [],
      backend: (route) => (route === undefined ? backends.find(port.namespace, port.name, port.port) : backends.find(port.namespace, route.service, route.port)),
    });
    const open: Open = { port, listeners: new Map(), http };
    this.#open.set(port.id, open);
    return open;
  }

  async #udp({ port }: Open, { address, port: at }: Place): Promise<Listener> {
    const { limits, backends, now } = this.#deps;
    const udp = await UdpPort.open({ limits, now, backend: () => backends.find(port.namespace, port.name, port.port, 'UDP') }, address, at);
    return { address, port: udp.port, [Symbol.asyncDispose]: () => udp[Symbol.asyncDispose]() };
  }

  async #tcp(open: Open, { address, port }: Place): Promise<Listener> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => void this.#take(client, open));
    server.listen({ host: address, port, ipv6Only: address.includes(':'), backlog: 1024 });
    await once(server, 'listening');
    server.on('error', () => undefined);
    return { address, port: (server.address() as { port: number }).port, [Symbol.asyncDispose]: () => stopListening(server) };
  }

  async #take(client: Socket, open: Open): Promise<void> {
    const leave = this.#room.take();
    if (leave === undefined) {
      this.#deps.say(`${this.#room.taken} connections are carried already, another to service ${open.port.namespace}/${open.port.name} is closed`);
      client.resetAndDestroy();
      return;
    }
    this.#clients.add(client);
    try {
      const { limits, backends } = this.#deps;
      const { namespace, name, port, routes } = open.port;
      await (routes === undefined ? carryTcp(client, backends.find(namespace, name, port), limits) : open.http.carry(client));
    } finally {
      this.#clients.delete(client);
      leave();
    }
  }
}

/** New connections are refused at once; open ones are not waited for. */
function stopListening(server: Server): Promise<void> {
  server.close();
  return Promise.resolve();
}
