import { createRelay, freePorts, unmountBelow, type Containerd, type Relay } from '@edge/testing';
import { startMinicloud, type Minicloud, type MinicloudOptions } from '@edge/minicloud';
import type { KubeNode, Pod } from '@edge/protocol';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ResourceClient } from '@edge/kubeapi';
import { eventually, startAgent, temporaryFolder, type Agent } from './agent.js';
import { killPodProcesses } from './leftovers.js';

export const NODE = 'edge-e2e';

/** A cloud, an agent and a path between them that can be broken. */
export interface Scene extends AsyncDisposable {
  readonly folder: string;
  readonly cloud: Minicloud;
  readonly relay: Relay;
  readonly agent: Agent;
  /** Port of the agent's MQTT broker. */
  readonly mqttPort: number;
  pod(name: string): Pod | undefined;
  /** Changes the agent's configuration file. */
  editConfig(edit: (text: string) => string): void;
  /** Resolves when the node is Ready by what the cloud has heard since `since` (milliseconds), or all along in a session that is older. */
  ready(since: number, timeoutMs: number): Promise<void>;
  /** Resolves when the link is open: a session began since the call, or the old one lives and was heard on. */
  linked(timeoutMs: number): Promise<void>;
}

/** A pod whose one process sleeps; every run of it adds a line to `runs` in its emptyDir. */
export function sleeper(name: string, node: string | undefined = NODE): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: {
      ...(node ? { nodeName: node } : {}),
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          name: 'main',
          image: 'busybox',
          command: ['sh', '-c', 'echo run >> "$EDGE_ROOT/data/runs"; while true; do sleep 1; done'],
          volumeMounts: [{ name: 'data', mountPath: '/data' }],
        },
      ],
      volumes: [{ name: 'data', emptyDir: {} }],
    },
  };
}

/** What a scene is opened with besides the cloud's options. */
export interface SceneOptions extends Partial<MinicloudOptions> {
  /** Pods run there; as plain processes unless given. */
  readonly containerd?: Containerd;
  /** Variables of the agent's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Called with the node's folder, and the ports of the loopback that lead to the cloud, before the agent starts. */
  readonly before?: (nodeFolder: string, cloudPorts: readonly number[]) => Promise<void>;
  /** The network namespace that the agent lives in; that of the test unless given. */
  readonly network?: string;
  /** Changes the text of the agent's first configuration. */
  readonly edit?: (text: string) => string;
}

export async function openScene({ containerd, edit, env, before, network, ...given }: SceneOptions = {}): Promise<Scene> {
  const folder = await temporaryFolder();
  const firstPort = await freePorts(2);
  const options: MinicloudOptions = { dataDir: join(folder.path, 'cloud'), nodeGraceMs: 15_000, ...given };
  const cloud = await startMinicloud(options);
  const [, port] = cloud.hubAddress.split(':');
  const relay = await createRelay(Number(port));
  await before?.(join(folder.path, 'node'), [relay.port, Number(cloud.httpsAddress.split(':')[1])]);
  const agent = await startAgent({
    folder: join(folder.path, 'node'),
    node: NODE,
    token: cloud.token(),
    hubAddress: `127.0.0.1:${relay.port}`,
    httpsUrl: `https://${cloud.httpsAddress}`,
    kubeletPort: firstPort,
    mqttPort: firstPort + 1,
    ...(containerd ? { containerd } : {}),
    ...(edit ? { edit } : {}),
    ...(env ? { env } : {}),
    ...(network ? { network } : {}),
  });
  const leases = (): ResourceClient<{ metadata: object; spec: { renewTime: string } }> => cloud.api.resource('coordination.k8s.io/v1', 'leases');
  const isReady = (): boolean => cloud.api.resource<KubeNode>('v1', 'nodes').find(NODE)?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
  const renewed = (since: number): boolean => Date.parse(leases().find(NODE, 'kube-node-lease')?.spec.renewTime ?? '') >= since;
  const survived = (since: number): boolean => cloud.hub.sessions.some((session) => session.since < since && session.received > 0);
  const state = (): string => `session: ${JSON.stringify(cloud.hub.sessions)}; agent's log ends:\n${agent.log.slice(-1500)}`;
  return {
    folder: folder.path,
    cloud,
    relay,
    agent,
    mqttPort: firstPort + 1,
    pod: (name) => cloud.api.resource<Pod>('v1', 'pods').find(name, 'default'),
    editConfig: (edit) => {
      const path = join(folder.path, 'node', 'edgecore.yaml');
      writeFileSync(path, edit(readFileSync(path, 'utf8')));
    },
    ready: (since, timeoutMs) => eventually(() => isReady() && (renewed(since) || survived(since)), timeoutMs, () => `the node is not Ready ${timeoutMs} ms after the path's return; ${state()}`),
    linked: (timeoutMs) => {
      const since = Date.now();
      const before = cloud.hub.sessions[0];
      const open = (): boolean => {
        const now = cloud.hub.sessions[0];
        return now !== undefined && (now.since >= since || (now.since === before?.since && now.received > before.received));
      };
      return eventually(open, timeoutMs, () => `the link is not open ${timeoutMs} ms after the path's return; ${state()}`);
    },
    [Symbol.asyncDispose]: async () => {
      relay.set('open');
      await agent[Symbol.asyncDispose]();
      await relay[Symbol.asyncDispose]();
      await cloud.close();
      killPodProcesses(folder.path);
      await unmountBelow(folder.path);
      await folder[Symbol.asyncDispose]();
    },
  };
}
