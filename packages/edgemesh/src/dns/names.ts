import { setMaxListeners } from 'node:events';
import { errorText, untilAborted, type Logger, type OwnLink } from '@edge/core';
import { hostPort } from '@edge/protocol';
import type { EdgeMeshConfig } from '../config.js';
import type { ServiceTable } from '../data/service-table.js';
import { edgeMeshError, EdgeMeshErrors } from '../errors.js';
import type { MeshPart } from '../mesh-part.js';
import { AnswerCache } from './answer-cache.js';
import { Forwarder } from './forwarder.js';
import { Resolver } from './resolver.js';
import { TcpServer } from './tcp-server.js';
import { UdpServer } from './udp-server.js';
import { UpstreamServers } from './upstream-servers.js';
import { Zone } from './zone.js';
import { ZoneIndex } from './zone-index.js';

/** Name of the link that carries the mesh's address. */
export const MESH_LINK = 'edge-mesh0';

/** Answers questions for names at the mesh's own address. [edgemesh-7] */
export class Names implements MeshPart {
  readonly #config: EdgeMeshConfig;
  readonly #link: OwnLink;
  readonly #log: Logger;

  constructor(deps: { config: EdgeMeshConfig; link: OwnLink; log: Logger }) {
    this.#config = deps.config;
    this.#link = deps.link;
    this.#log = deps.log;
  }

  async run(table: ServiceTable, signal: AbortSignal, ready: () => void): Promise<void> {
    const { address, dns } = this.#config;
    // All of 127.0.0.0/8 is there without a link.
    const isLinked = !address.startsWith('127.');
    if (isLinked) await this.#setUp(address);
    try {
      await this.#serve(table, signal, { address, port: dns.port }, ready);
    } finally {
      if (isLinked) await this.#link.takeDown();
    }
  }

  async #serve(table: ServiceTable, signal: AbortSignal, place: { address: string; port: number }, ready: () => void): Promise<void> {
    const { clusterDomain, dns, address } = this.#config;
    let port = place.port;
    // Every question that is out listens for the end.
    setMaxListeners(0, signal);
    using index = new ZoneIndex({ table });
    const zone = new Zone({ table, index, clusterDomain, ttlSeconds: dns.ttlSeconds, address });
    const servers = new UpstreamServers({ configured: dns.upstream, file: dns.resolverFile, own: () => ({ address, port }) });
    const resolver = new Resolver({ zone, forwarder: new Forwarder({ servers, cache: new AnswerCache({ limit: dns.cacheEntries }) }) });
    await using udp = await UdpServer.open(place, resolver, signal);
    port = udp.port;
    await using _tcp = await TcpServer.open({ address, port }, resolver, signal);
    this.#log.info('names of services are answered', { address: hostPort(address, port) });
    ready();
    await untilAborted(signal);
  }

  async #setUp(address: string): Promise<void> {
    try {
      await this.#link.setUp(address);
    } catch (cause) {
      throw edgeMeshError(EdgeMeshErrors.link, `the link ${MESH_LINK} with edge.edgeMesh.address ${address} cannot be made: ${errorText(cause)}`, cause);
    }
  }
}
