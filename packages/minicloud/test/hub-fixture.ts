import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@edge/core';
import { createMessage, type Message, type NewMessage } from '@edge/protocol';
import { openPki, type Pki } from '../src/ca/authority.js';
import { EnrolmentServer } from '../src/ca/https-server.js';
import { createJoinToken } from '../src/ca/token.js';
import { CloudHub, type CloudHubConfig } from '../src/hub/cloud-hub.js';
import type { Receiver } from '../src/hub/dispatch.js';
import type { CurrentObject } from '../src/hub/resync.js';
import { type SyncRecord, WriteBehindSyncRecords } from '../src/hub/sync-records.js';
import { EdgeClient, enrol, type NodeKeys } from './edge-client.js';

/** A hub over real TLS with its surroundings in memory. */
export interface HubFixture extends AsyncDisposable {
  readonly hub: CloudHub;
  readonly pki: Pki;
  readonly https: string;
  readonly address: string;
  readonly records: WriteBehindSyncRecords;
  readonly objects: Map<string, CurrentObject>;
  readonly handled: { node: string; message: Message; receiver: Receiver }[];
  keys(node: string): Promise<NodeKeys>;
  connect(node: string): Promise<EdgeClient>;
}

export async function openHub(config: Partial<CloudHubConfig> = {}, certificateTtlMs = 3_600_000): Promise<HubFixture> {
  const folder = await mkdtemp(join(tmpdir(), 'minicloud-hub-'));
  const pki = await openPki({ folder, names: ['127.0.0.1'], serverLifeMs: 3_600_000 });
  const stored = new Map<string, SyncRecord>();
  const records = new WriteBehindSyncRecords({
    storage: {
      load: () => Promise.resolve([...stored.values()]),
      save: (record) => Promise.resolve(void stored.set(record.uid, record)),
      remove: (record) => Promise.resolve(void stored.delete(record.uid)),
    },
    onFailure: () => undefined,
  });
  const objects = new Map<string, CurrentObject>();
  const handled: HubFixture['handled'] = [];
  const hub = new CloudHub({
    pki, records, log: silentLogger, onConnected: () => undefined,
    find: (record) => objects.get(record.uid),
    handle: (node, message, receiver) => {
      handled.push({ node, message, receiver });
      if (message.route.operation !== 'query') return Promise.resolve(undefined);
      return Promise.resolve(createMessage({ ...message.route, source: 'edgecontroller', operation: 'response', parentId: message.header.id, content: 'OK' }));
    },
    config: {
      keepaliveMs: 30_000, nodeLimit: 500, authorize: true, resyncIntervalMs: 100_000, maxMessageBytes: 1024 * 1024,
      retry: { intervalMs: 5000, repeats: 4, backoff: { firstMs: 10, factor: 2, limitMs: 1000, jitter: 0 } },
      ...config,
    },
  });
  const enrolment = new EnrolmentServer({ pki, certificateTtlMs, nodeExists: (name) => name === 'known', onTaskReport: () => Promise.resolve(), log: silentLogger });
  const address = `127.0.0.1:${await hub.listen({ host: '127.0.0.1', port: 0 })}`;
  const https = `127.0.0.1:${await enrolment.listen({ host: '127.0.0.1', port: 0 })}`;
  const clients: EdgeClient[] = [];
  const keys = (node: string): Promise<NodeKeys> => enrol(https, createJoinToken(pki.authority, Date.now() + 60_000), node);
  return {
    hub, pki, https, address, records, objects, handled, keys,
    connect: async (node) => {
      const client = await EdgeClient.connect(address, await keys(node), node);
      clients.push(client);
      return client;
    },
    [Symbol.asyncDispose]: async () => {
      for (const client of clients) client.close();
      await Promise.all([hub.close(), enrolment.close()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A push of a pod as the edge controller makes it. */
export function podPush(uid: string, version: number, extra: Partial<NewMessage> = {}): Message {
  return createMessage({
    source: 'edgecontroller', group: 'resource', operation: 'update', resource: `default/pod/${uid}`, resourceVersion: String(version),
    content: { kind: 'Pod', apiVersion: 'v1', metadata: { name: uid, namespace: 'default', uid, resourceVersion: String(version) } }, ...extra,
  });
}
