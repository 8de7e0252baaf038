import type { CloudLink, Logger, Store } from '@edge/core';
import type { KubeApi, RequestHook } from '@edge/kubeapi';
import type { CloudApi } from '../cloud/cloud-api.js';
import type { CloudReader } from '../cloud/cloud-reader.js';
import type { ObjectCopy } from '../copy/object-copy.js';
import type { TypeCatalog } from '../types/catalog.js';
import { Replay } from './replay.js';
import { WaitingQueue } from './waiting-queue.js';
import { WaitingRequests } from './waiting-requests.js';
import { WaitingWrites } from './waiting-writes.js';

export interface WaitingParts {
  readonly store: Store;
  readonly cloud: CloudApi;
  readonly reader: CloudReader;
  readonly catalog: TypeCatalog;
  readonly link: CloudLink;
  readonly log: Logger;
  readonly copy: ObjectCopy;
  readonly local: KubeApi;
}

/** Changes that wait for the cloud: taking them, making them later, telling what became of them. */
export interface Waiting {
  readonly writes: WaitingWrites;
  readonly onRequest: RequestHook;
  /** Makes them until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

export function createWaiting({ store, cloud, reader, catalog, link, log, copy, local }: WaitingParts): Waiting {
  const queue = new WaitingQueue({ store });
  const requests = new WaitingRequests({ queue });
  const replay = new Replay({ queue, cloud, reader, catalog, link, log });
  return { writes: new WaitingWrites({ queue, requests, replay, copy, local }), onRequest: requests.onRequest, run: (signal) => replay.run(copy, signal) };
}
