import type { Message } from '@edge/protocol';
import type { CloudFixture } from './cloud-fixture.js';
import { joinReady, leaseBody } from './cloud-fixture.js';
import type { EdgeClient } from './edge-client.js';

interface PodContent {
  metadata: { name: string; namespace: string; uid: string; deletionTimestamp?: string };
  spec: { containers: { name: string; image: string }[] };
}

/** A node that reports every pod as running and lets it end when it is told to. */
export class SimulatedNode {
  readonly client: EdgeClient;
  readonly #started = new Set<string>();
  readonly #ended = new Set<string>();
  #ip = 1;

  private constructor(client: EdgeClient) {
    this.client = client;
  }

  static async join(fixture: CloudFixture, name: string): Promise<SimulatedNode> {
    const node = new SimulatedNode(await joinReady(fixture, name));
    node.client.onMessage = (message) => void node.#receive(message);
    for (const message of node.client.received) void node.#receive(message);
    return node;
  }

  async renewLease(version: string): Promise<void> {
    await this.client.ask('update', `kube-node-lease/lease/${this.client.node}`, leaseBody(this.client.node, { resourceVersion: version }));
  }

  async #receive(message: Message): Promise<void> {
    const { operation, resource } = message.route;
    if (message.header.parentId !== undefined || !resource.includes('/pod/') || operation === 'delete') return;
    const pod = message.content as PodContent;
    if (pod.metadata.deletionTimestamp !== undefined) await this.#end(pod);
    else await this.#run(pod);
  }

  async #run({ metadata, spec }: PodContent): Promise<void> {
    if (this.#started.has(metadata.uid)) return;
    this.#started.add(metadata.uid);
    const at = new Date().toISOString().replace(/\.\d+/, '');
    const conditions = ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map((type) => ({ type, status: 'True', lastProbeTime: null, lastTransitionTime: at }));
    const containerStatuses = spec.containers.map(({ name, image }) => ({
      name, image, imageID: 'sha256:1', containerID: `fake://${name}`, ready: true, started: true, restartCount: 0, lastState: {}, state: { running: { startedAt: at } },
    }));
    const ip = `10.88.0.${(this.#ip += 1)}`;
    await this.#patch(metadata, { conditions, containerStatuses, phase: 'Running', podIP: ip, podIPs: [{ ip }], hostIP: '192.0.2.2', startTime: at });
  }

  async #end({ metadata }: PodContent): Promise<void> {
    if (this.#ended.has(metadata.uid)) return;
    this.#ended.add(metadata.uid);
    await this.#patch(metadata, { phase: 'Succeeded' });
    await this.client.ask('delete', `${metadata.namespace}/pod/${metadata.name}`, { gracePeriodSeconds: 0, preconditions: { uid: metadata.uid } });
  }

  async #patch(metadata: PodContent['metadata'], status: object): Promise<void> {
    await this.client.ask('patch', `${metadata.namespace}/podpatch/${metadata.name}`, JSON.stringify({ metadata: { uid: metadata.uid }, status }));
  }
}
