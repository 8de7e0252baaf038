import { freePort } from '@edge/testing';
import { createSocket, type Socket } from 'node:dgram';
import { Resolver as Client } from 'node:dns/promises';
import { once, setMaxListeners } from 'node:events';
import type { KubeObject } from '@edge/protocol';
import { AnswerCache } from '../src/dns/answer-cache.js';
import { Forwarder } from '../src/dns/forwarder.js';
import { Resolver } from '../src/dns/resolver.js';
import { TcpServer } from '../src/dns/tcp-server.js';
import { UdpServer } from '../src/dns/udp-server.js';
import { UpstreamServers } from '../src/dns/upstream-servers.js';
import { Zone } from '../src/dns/zone.js';
import { ZoneIndex } from '../src/dns/zone-index.js';
import { MeshTable } from '../src/data/mesh-table.js';
import { keyOf } from './fake-feed.js';

export const service = (name: string, spec: object): KubeObject => ({ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'default' }, spec });
export const slice = (owner: string, endpoints: readonly object[], ports: readonly object[] | null, addressType = 'IPv4'): KubeObject => ({
  apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata: { name: `${owner}-${addressType.toLowerCase()}`, namespace: 'default', labels: { 'kubernetes.io/service-name': owner } }, addressType, endpoints, ports,
});

/** A server upstream; `script` gives the bytes of an answer, several, or none. */
export class FakeUpstream implements AsyncDisposable {
  readonly asked: Buffer[] = [];
  script: (question: Buffer) => Buffer | readonly Buffer[] | undefined = (question) => addressAnswer(question, '192.0.2.80');

  private constructor(readonly socket: Socket) {}

  static async open(): Promise<FakeUpstream> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const upstream = new FakeUpstream(socket);
    socket.on('message', (bytes, from) => {
      upstream.asked.push(bytes);
      const answers = upstream.script(bytes) ?? [];
      for (const answer of Buffer.isBuffer(answers) ? [answers] : answers) socket.send(answer, from.port, from.address);
    });
    return upstream;
  }

  get port(): number {
    return this.socket.address().port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.socket.close(() => resolve()));
  }
}

/** An answer with one record behind the question, whatever else the question held. */
export function addressAnswer(question: Buffer, address: string, { ttl = 60, id, flags = 0x8180 }: { ttl?: number; id?: number; flags?: number } = {}): Buffer {
  let end = 12;
  while ((question[end] ?? 0) !== 0) end += (question[end] ?? 0) + 1;
  const head = Buffer.from(question.subarray(0, end + 5));
  head.writeUInt16BE(id ?? head.readUInt16BE(0), 0);
  head.writeUInt16BE(flags, 2);
  head.writeUInt16BE(1, 6);
  head.writeUInt32BE(0, 8);
  const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...address.split('.').map(Number)]);
  record.writeUInt32BE(ttl, 6);
  return Buffer.concat([head, record]);
}

/** The whole way of a question, on free ports of the loopback. */
export class NamesScene implements AsyncDisposable {
  readonly table = new MeshTable();
  readonly client = new Client({ timeout: 8000, tries: 2 });
  readonly stop = new AbortController();
  now = 0;

  private constructor(readonly forwarder: Forwarder, readonly cache: AnswerCache, readonly resolver: Resolver, readonly udp: UdpServer, readonly tcp: TcpServer, table: MeshTable, stop: AbortController, private readonly clock: { now: number }) {
    this.table = table;
    this.stop = stop;
    this.client.setServers([`127.0.0.1:${udp.port}`]);
  }

  static async open(options: { upstream?: readonly number[]; file?: string; entries?: number; tryMs?: number } = {}): Promise<NamesScene> {
    const table = new MeshTable();
    const stop = new AbortController();
    setMaxListeners(0, stop.signal);
    const clock = { now: 0 };
    let port = 0;
    const servers = new UpstreamServers({ configured: (options.upstream ?? []).map((at) => ({ address: '127.0.0.1', port: at })), file: options.file ?? '/nonexistent', own: () => ({ address: '127.0.0.1', port }) });
    const cache = new AnswerCache({ limit: options.entries ?? 100, now: () => clock.now });
    const forwarder = new Forwarder({ servers, cache, tryMs: options.tryMs ?? 1500 });
    const zone = new Zone({ table, index: new ZoneIndex({ table }), clusterDomain: 'cluster.local', ttlSeconds: 5, address: '127.0.0.1' });
    const resolver = new Resolver({ zone, forwarder });
    port = await freePort();
    const udp = await UdpServer.open({ address: '127.0.0.1', port }, resolver, stop.signal);
    const tcp = await TcpServer.open({ address: '127.0.0.1', port }, resolver, stop.signal);
    return new NamesScene(forwarder, cache, resolver, udp, tcp, table, stop, clock);
  }

  put(...objects: readonly KubeObject[]): void {
    this.table.apply(objects.map((object) => ({ key: keyOf(object), object })));
  }

  /** For the cache alone. */
  later(milliseconds: number): void {
    this.clock.now += milliseconds;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.cancel();
    this.stop.abort();
    await this.tcp[Symbol.asyncDispose]();
    await this.udp[Symbol.asyncDispose]();
  }
}

/** A question's bytes, written independently of what is tested. */
export function rawQuery(name: string, type: number, { id = 7, flags = 0x0100, payload }: { id?: number; flags?: number; payload?: number } = {}): Buffer {
  const labels = name.split('.').filter((label) => label !== '').flatMap((label) => [label.length, ...Buffer.from(label)]);
  const head = Buffer.from([id >> 8, id & 255, flags >> 8, flags & 255, 0, 1, 0, 0, 0, 0, 0, payload === undefined ? 0 : 1, ...labels, 0, type >> 8, type & 255, 0, 1]);
  return payload === undefined ? head : Buffer.concat([head, Buffer.from([0, 0, 41, payload >> 8, payload & 255, 0, 0, 0, 0, 0, 0])]);
}
