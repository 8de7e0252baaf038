import { errorText, token, untilAborted, type CloudLink, type FeatureGates, type Life, type Logger, type MessageBus, type Runnable, type Store, type Token } from '@edge/core';
import { ApiServer } from '@edge/kubeapi';
import type { Message } from '@edge/protocol';
import { CloudWriter } from './api/cloud-writer.js';
import type { Documents } from './api/documents.js';
import { NodeBackend } from './api/node-backend.js';
import type { CloudApi } from './cloud/cloud-api.js';
import type { CloudReader } from './cloud/cloud-reader.js';
import type { Follower } from './cloud/follower.js';
import type { MetaServerConfig } from './config.js';
import type { Feed } from './copy/feed.js';
import { ObjectCopy } from './copy/object-copy.js';
import type { TypeCatalog } from './types/catalog.js';

export interface MetaServerDeps {
  readonly config: MetaServerConfig;
  readonly gates: FeatureGates;
  readonly store: Store;
  readonly bus: MessageBus;
  readonly link: CloudLink;
  readonly log: Logger;
  readonly catalog: TypeCatalog;
  readonly documents: Documents;
  readonly feed: Feed;
  readonly cloud: CloudApi;
  readonly reader: CloudReader;
  readonly follower: Follower;
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
    if (this.#deps.gates.enabled('requireAuthorization')) return this.#stayClosed(life);
    const { documents, feed, store, catalog, follower, log } = this.#deps;
    this.#signal = life.signal;
    await documents.load(life.signal);
    const copy = await feed.begin((items) => ObjectCopy.open({ store, catalog }, items), life.signal);
    documents.serve(copy);
    const backend = this.#backend(copy, life.signal);
    const server = this.#server(backend);
    try {
      const { host, port } = await server.listen(this.#deps.config.server);
      this.#port = port;
      log.info('the local API listens', { address: `${host}:${port}`, objects: copy.store.resourceVersion });
      life.ready();
      await Promise.all([follower.run(copy, life.signal), untilAborted(life.signal)]);
    } finally {
      await server.close();
      backend.close();
    }
  }

  /** A message of metamanager about its objects. */
  take(message: Message): Promise<void> {
    return this.#deps.feed.take(message, this.#signal);
  }

  #backend(copy: ObjectCopy, signal: AbortSignal): NodeBackend {
    const { catalog, cloud, reader, follower } = this.#deps;
    return new NodeBackend({ catalog, copy, cloud, reader, follower, signal, writer: new CloudWriter({ cloud, reader, copy, signal }) });
  }

  #server(backend: NodeBackend): ApiServer {
    const { catalog, documents, log } = this.#deps;
    return new ApiServer({
      backend,
      registry: catalog.registry,
      options: {
        onRequest: documents.onRequest,
        onInternalError: (error, { method, path }) => log.error('a request to the local API failed inside', { method, path, err: errorText(error) }),
      },
    });
  }

  /** Whoever asked for authorization must not get an open port instead; the rest of the agent is not to suffer for it. */
  async #stayClosed(life: Life): Promise<void> {
    this.#deps.log.error('the local API does not listen: the feature gate requireAuthorization is on, and this version cannot serve with it', {
      gate: 'requireAuthorization', module: 'modules.metaManager.metaServer',
    });
    life.ready();
    await untilAborted(life.signal);
  }
}

export const MetaServerEntry: Token<MetaServer> = token<MetaServer>('metaserver', 'MetaServer');
