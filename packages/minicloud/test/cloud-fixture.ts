import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Minicloud, type MinicloudOptions, startMinicloud } from '../src/index.js';
import { EdgeClient, enrol } from './edge-client.js';

/** A cloud in a folder of its own that goes with it. */
export interface CloudFixture extends AsyncDisposable {
  cloud: Minicloud;
  readonly dataDir: string;
  /** Enrols and connects a node. */
  connect(node: string): Promise<EdgeClient>;
  /** Stops the cloud and starts it again over the same data. */
  restart(options?: Partial<MinicloudOptions>): Promise<void>;
}

export async function openCloud(options: Partial<MinicloudOptions> = {}): Promise<CloudFixture> {
  const dataDir = await mkdtemp(join(tmpdir(), 'minicloud-'));
  const clients: EdgeClient[] = [];
  const fixture: CloudFixture = {
    dataDir,
    // Nodes that are played renew no lease; whoever wants to see one given up says when.
    cloud: await startMinicloud({ dataDir, nodeGraceMs: 600_000, ...options }),
    connect: async (node) => {
      const { cloud } = fixture;
      const client = await EdgeClient.connect(cloud.hubAddress, await enrol(cloud.httpsAddress, cloud.token(), node), node);
      clients.push(client);
      return client;
    },
    restart: async (more = {}) => {
      await fixture.cloud.close();
      fixture.cloud = await startMinicloud({ dataDir, nodeGraceMs: 600_000, ...options, ...more });
    },
    [Symbol.asyncDispose]: async () => {
      for (const client of clients) client.close();
      await fixture.cloud.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
  return fixture;
}

/** What a node of the test sends when it registers. */
export function nodeBody(name: string, ready = false): object {
  const at = new Date().toISOString().replace(/\.\d+/, '');
  const condition = (type: string, status: string, reason: string): object => ({ type, status, lastHeartbeatTime: at, lastTransitionTime: at, reason, message: reason });
  return {
    metadata: {
      name, creationTimestamp: null,
      labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', 'node-role.kubernetes.io/agent': '', 'node-role.kubernetes.io/edge': '' },
      annotations: { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' },
    },
    spec: {},
    status: {
      capacity: { cpu: '2', memory: '2Gi', pods: '110' }, allocatable: { cpu: '2', memory: '2Gi', pods: '110' },
      conditions: [condition('MemoryPressure', 'False', 'KubeletHasSufficientMemory'), condition('Ready', ready ? 'True' : 'False', ready ? 'EdgeReady' : 'KubeletNotReady')],
      addresses: [{ type: 'InternalIP', address: '192.0.2.2' }, { type: 'Hostname', address: name }],
      nodeInfo: { machineID: 'm', kubeletVersion: 'v1.32.10-kubeedge-v1.23.1' },
    },
  };
}

export function leaseBody(name: string, more: object = {}): object {
  return {
    metadata: { name, namespace: 'kube-node-lease', creationTimestamp: null, ...more },
    spec: { holderIdentity: name, leaseDurationSeconds: 40, renewTime: new Date().toISOString().replace('Z', '000Z') },
  };
}

/** The patch that makes a registered node ready. */
export function readyPatch(): string {
  const at = new Date().toISOString().replace(/\.\d+/, '');
  return JSON.stringify({
    status: {
      '$setElementOrder/conditions': [{ type: 'MemoryPressure' }, { type: 'Ready' }],
      conditions: [
        { lastHeartbeatTime: at, type: 'MemoryPressure' },
        { lastHeartbeatTime: at, lastTransitionTime: at, message: 'edge is posting ready status', reason: 'EdgeReady', status: 'True', type: 'Ready' },
      ],
    },
  });
}

/** Registers a node and makes it ready; resolves when the cloud has taken its taint away. */
export async function joinReady(fixture: CloudFixture, name: string): Promise<EdgeClient> {
  const client = await fixture.connect(name);
  const { Object: node } = (await client.ask('insert', `null/node/${name}`, nodeBody(name))).content as { Object: { metadata: { uid: string } } };
  const ownerReferences = [{ apiVersion: 'v1', kind: 'Node', name, uid: node.metadata.uid }];
  await client.ask('insert', `kube-node-lease/lease/${name}`, leaseBody(name, { ownerReferences }));
  await client.ask('patch', `null/nodepatch/${name}`, readyPatch());
  const nodes = fixture.cloud.api.resource<{ spec: { taints?: unknown[] } }>('v1', 'nodes');
  await client.until(() => nodes.find(name)?.spec.taints === undefined);
  return client;
}
