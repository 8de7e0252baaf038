import { setMaxListeners } from 'node:events';
import { errorText, token, untilAborted, type CloudLink, type Life, type Logger, type MessageBus, type NodeIdentity, type Runnable, type Store, type Token } from '@edge/core';
import { ApiServer, KubeApi, type ApiServerOptions, type RequestHook } from '@edge/kubeapi';
import type { Message } from '@edge/protocol';
import { CloudWriter } from './api/cloud-writer.js';
import { DeviceEdits } from './api/device-edits.js';
import type { Documents } from './api/documents.js';
import { NodeBackend } from './api/node-backend.js';
import { tokenRequests } from './api/token-requests.js';
import type { CloudApi } from './cloud/cloud-api.js';
import type { CloudReader } from './cloud/cloud-reader.js';
import type { Follower } from './cloud/follower.js';
import type { MeshData } from './cloud/mesh-data.js';
import type { MetaServerConfig } from './config.js';
import type { Feed } from './copy/feed.js';
import { ObjectCopy } from './copy/object-copy.js';
import type { Doors } from './guard/doors.js';
import { NodeObjects } from './guard/node-objects.js';
import { createSpecial } from './special/special.js';
import type { TypeCatalog } from './types/catalog.js';
import { createWaiting } from './waiting/waiting.js';
import type { WaitingWrites } from './waiting/waiting-writes.js';

export interface MetaServerDeps {
  readonly config: MetaServerConfig;
  readonly store: Store;
  readonly bus: MessageBus;
  readonly link: CloudLink;
  readonly identity: NodeIdentity;
  readonly log: Logger;
  readonly catalog: TypeCatalog;
  readonly documents: Documents;
  readonly feed: Feed;
  readonly cloud: CloudApi;
  readonly reader: CloudReader;
  readonly follower: Follower;
  readonly meshData: MeshData;
  readonly doors: Doors;
}

/** The node's own Kubernetes API. */
export class MetaServer implements Runnable {
  readonly #deps: MetaServerDeps;
  #signal: AbortSignal = AbortSignal.abort();
  #port = 0;

  constructor(deps: MetaServerDeps) {
    this.#deps = deps;
  }

  /** Where it listens; 0 before it does. */
  get port(): number {
    return this.#port;
  }

  async run(life: Life): Promise<void> {
    const { documents, feed, store, catalog, cloud, reader, follower, link, log, bus, identity } = this.#deps;
    this.#signal = life.signal;
    await documents.load(life.signal);
    const copy = await feed.begin((items) => ObjectCopy.open({ store, catalog }, items), life.signal);
    documents.serve(copy);
    const local = new KubeApi({ registry: catalog.registry, store: copy.store });
    const waiting = createWaiting({ store, cloud, reader, catalog, link, log, copy, local });
    const devices = new DeviceEdits({ bus, identity, copy, feed, local, signal: life.signal });
    const backend = this.#backend(copy, local, waiting.writes, devices, life.signal);
    const ready = (port: number): void => {
      this.#port = port;
      life.ready();
    };
    // One does not outlive the other.
    const ended = new AbortController();
    const signal = AbortSignal.any([life.signal, ended.signal]);
    // Every request that is under way listens for the end.
    setMaxListeners(0, signal, life.signal);
    const make = (options: Partial<ApiServerOptions>): ApiServer => this.#server(copy, backend, devices, waiting.onRequest, options);
    const works = [
      follower.run(copy, signal),
      waiting.run(signal),
      this.#serve(make, copy, signal, ready),
      this.#followForMesh(signal),
    ].map((work) => work.finally(() => ended.abort()));
    await Promise.allSettled(works);
    backend.close();
    await Promise.all(works);
  }

  /** Without clients the module does for the mesh alone what it does for all. */
  async #serve(make: (options: Partial<ApiServerOptions>) => ApiServer, copy: ObjectCopy, signal: AbortSignal, ready: (port: number) => void): Promise<void> {
    const { config, doors, catalog, identity } = this.#deps;
    if (config.isServing) return doors.run({ make, objects: new NodeObjects({ store: copy.store, catalog, node: identity.name }), signal, ready });
    ready(0);
    await untilAborted(signal);
  }

  async #followForMesh(signal: AbortSignal): Promise<void> {
    if (this.#deps.config.isForMesh) await this.#deps.meshData.run(signal);
    await untilAborted(signal);
  }

  /** A message of metamanager about its objects. */
  take(message: Message): Promise<void> {
    return this.#deps.feed.take(message, this.#signal);
  }

  #backend(copy: ObjectCopy, local: KubeApi, waiting: WaitingWrites, devices: DeviceEdits, signal: AbortSignal): NodeBackend {
    const { catalog, cloud, reader, follower } = this.#deps;
    return new NodeBackend({ catalog, copy, cloud, reader, follower, local, waiting, devices, signal, writer: new CloudWriter({ cloud, reader, copy, signal }) });
  }

  #server(copy: ObjectCopy, backend: NodeBackend, devices: DeviceEdits, waiting: RequestHook, options: Partial<ApiServerOptions>): ApiServer {
    const { bus, identity, catalog, documents, log } = this.#deps;
    const special = createSpecial({ bus, identity, copy, backend, devices });
    return new ApiServer({
      backend,
      registry: catalog.registry,
      subresources: [...special.subresources, tokenRequests({ bus, identity, copy })],
      options: {
        ...options,
        onRequest: async (request) => (await special.onRequest(request)) || (await waiting(request)) || documents.onRequest(request),
        onInternalError: (error, { method, path }) => log.error('a request to the local API failed inside', { method, path, err: errorText(error) }),
      },
    });
  }
}

export const MetaServerEntry: Token<MetaServer> = token<MetaServer>('metaserver', 'MetaServer');
