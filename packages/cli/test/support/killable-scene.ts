import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { MinicloudOptions } from '@edge/minicloud';
import { createRelay, freePorts, unmountBelow, type Containerd, type Relay } from '@edge/testing';
import { eventually, startAgent, temporaryFolder, type Agent } from './agent.js';
import { killPodProcesses } from './leftovers.js';
import { NODE } from './scene.js';

const CLOUD = fileURLToPath(new URL('../../dist-bundle/test/cloud-main.mjs', import.meta.url));

/** An agent and a cloud in a process of its own, which can be ended without warning. */
export interface KillableScene extends AsyncDisposable {
  readonly folder: string;
  readonly agent: Agent;
  readonly cloudPid: number;
  readonly kubeconfig: string;
  /** The way of the tunnel, when the scene has one. */
  readonly tunnel?: Relay;
  /** Port of the node's own API, when the scene has it. */
  readonly nodeApiPort: number;
  /** Kills the cloud and, after the time or when the work is done, starts one over its data at the same ports. */
  killCloud(meanwhile: number | (() => Promise<void>)): Promise<void>;
  /** A last argument behind `-f -` is standard input. */
  kubectl(...args: string[]): Promise<string>;
  ready(since: number, timeoutMs: number): Promise<void>;
}

export interface KillableSceneOptions {
  readonly hasNodeApi?: boolean;
  /** Pods run there; as plain processes unless given. */
  readonly containerd?: Containerd;
  /** Logs and commands come through a tunnel, and that through a relay. */
  readonly hasTunnel?: boolean;
}

interface Place {
  readonly hubAddress: string;
  readonly httpsAddress: string;
  readonly kubeconfigPath: string;
  readonly token: string;
}

export async function openKillableScene({ hasNodeApi = false, containerd, hasTunnel = false }: KillableSceneOptions = {}): Promise<KillableScene> {
  const folder = await temporaryFolder();
  const firstPort = await freePorts(6);
  const options: MinicloudOptions = { dataDir: join(folder.path, 'cloud'), hubPort: firstPort, httpsPort: firstPort + 1, apiPort: firstPort + 2, tunnelPort: firstPort + 5 };
  let cloud = spawnCloud(options);
  const place = await firstLine(cloud);
  const tunnel = hasTunnel ? await createRelay(firstPort + 5) : undefined;
  const agent = await startAgent({
    folder: join(folder.path, 'node'),
    node: NODE,
    token: place.token,
    hubAddress: place.hubAddress,
    httpsUrl: `https://${place.httpsAddress}`,
    kubeletPort: firstPort + 3,
    ...(hasNodeApi ? { nodeApiPort: firstPort + 4 } : {}),
    ...(tunnel ? { tunnelAddress: `127.0.0.1:${tunnel.port}` } : {}),
    ...(containerd ? { containerd } : {}),
  });
  const kubectl = (...args: string[]): Promise<string> => runKubectl(place.kubeconfigPath, args);
  const isReady = async (since: number): Promise<boolean> => {
    const [node, lease] = await Promise.all([kubectl('get', 'node', NODE, '-o', 'json'), kubectl('get', 'lease', NODE, '-n', 'kube-node-lease', '-o', 'json')]).catch(() => ['{}', '{}']);
    const { status } = JSON.parse(node ?? '{}') as { status?: { conditions: { type: string; status: string }[] } };
    const { spec } = JSON.parse(lease ?? '{}') as { spec?: { renewTime: string } };
    const renewed = Date.parse(spec?.renewTime ?? '') >= since;
    return renewed && (status?.conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false);
  };
  return {
    folder: folder.path,
    agent,
    kubectl,
    nodeApiPort: firstPort + 4,
    kubeconfig: place.kubeconfigPath,
    ...(tunnel ? { tunnel } : {}),
    get cloudPid() {
      return cloud.pid ?? 0;
    },
    killCloud: async (meanwhile) => {
      const gone = once(cloud, 'exit');
      cloud.kill('SIGKILL');
      await gone;
      if (typeof meanwhile === 'number') await new Promise((resolve) => setTimeout(resolve, meanwhile));
      else await meanwhile();
      cloud = spawnCloud(options);
      await firstLine(cloud);
    },
    ready: (since, timeoutMs) => eventually(() => isReady(since), timeoutMs, () => `the node is not Ready after ${timeoutMs} ms; agent's log ends:\n${agent.log.slice(-1500)}`),
    [Symbol.asyncDispose]: async () => {
      await agent[Symbol.asyncDispose]();
      const gone = once(cloud, 'exit');
      cloud.kill('SIGTERM');
      await gone;
      await tunnel?.[Symbol.asyncDispose]();
      killPodProcesses(folder.path);
      if (containerd) await unmountBelow(folder.path);
      await folder[Symbol.asyncDispose]();
    },
  };
}

function spawnCloud(options: MinicloudOptions): ChildProcess {
  return spawn(process.execPath, [CLOUD, JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'inherit'] });
}

async function firstLine(child: ChildProcess): Promise<Place> {
  if (!child.stdout) throw new Error('the cloud has no output');
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return JSON.parse(line) as Place;
}

function runKubectl(kubeconfig: string, args: readonly string[]): Promise<string> {
  const input = args.at(-2) === '-' ? args.at(-1) : undefined;
  return new Promise((resolve, reject) => {
    const child = execFile('kubectl', ['--kubeconfig', kubeconfig, ...(input === undefined ? args : args.slice(0, -1))], { timeout: 90_000 }, (error, stdout, stderr) =>
      error ? reject(new Error(`kubectl ${args[0]}: ${stderr}`, { cause: error })) : resolve(stdout),
    );
    child.stdin?.end(input ?? '');
  });
}
