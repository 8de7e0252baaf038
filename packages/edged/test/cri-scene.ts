import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCell, type LinkStatus } from '@edge/core';
import { createCriRuntime, type CriRuntime } from '@edge/cri';
import type { Pod } from '@edge/protocol';
import { BUSYBOX_IMAGE, runModule, startContainerd, testIdentity, type Containerd, type ContainerdOptions, type RunningModule, unmountBelow } from '@edge/testing';
import { NODE, pod, PlayedCloud, withLink } from './scene.js';

/** Edged on a real containerd with a played cloud. */
export interface CriScene extends AsyncDisposable {
  readonly cloud: PlayedCloud;
  readonly containerd: Containerd;
  readonly runtime: CriRuntime;
  readonly root: string;
  readonly agent: RunningModule;
  /** Pushes a pod and waits until it has the phase. */
  run(pod: Pod, phase?: string): Promise<Pod>;
  /** What a container has written; rejects when there is no log yet. */
  log(pod: Pod, container?: string): Promise<string>;
  /** Stops the agent and starts another over the same runtime and directory. */
  restart(): Promise<void>;
}

export interface CriSceneOptions {
  readonly containerd?: ContainerdOptions;
  readonly tailored?: Readonly<Record<string, unknown>>;
}

/** A pod of the busybox image that never starts again and has no patience. */
export function shellPod(name: string, script: string, parts: Parameters<typeof pod>[1] = {}): Pod {
  const { containers = [{ name: 'c' }], ...rest } = parts;
  return pod(name, {
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: 1,
    ...rest,
    containers: containers.map((container) => ({ image: BUSYBOX_IMAGE, command: ['sh', '-c', script], ...container })),
  });
}

export async function openCriScene(options: CriSceneOptions = {}): Promise<CriScene> {
  const containerd = await startContainerd(options.containerd);
  const root = await mkdtemp(join(tmpdir(), 'edged-cri-'));
  const cloud = new PlayedCloud();
  const link = createCell<LinkStatus>({ connected: true, session: 1, since: Date.now() });
  const runtime = await createCriRuntime({ endpoint: containerd.socket });
  const tailoredKubeletConfig = { podLogsDir: join(root, 'logs'), staticPodPath: join(root, 'manifests'), cgroupRoot: containerd.cgroupRoot, ...options.tailored };
  const start = (): Promise<RunningModule> =>
    runModule(withLink(() => createCriRuntime({ endpoint: containerd.socket }), link), {
      config: { modules: { edged: { rootDirectory: root, reportEvent: true, tailoredKubeletConfig } }, edge: { runtime: 'cri' } },
      identity: testIdentity(NODE, ['192.0.2.10']),
      neighbours: (bus) => cloud.join(bus),
    });
  let agent = await start();
  const current = (one: Pod): Pod | undefined => cloud.pods.get(`${one.metadata.namespace}/${one.metadata.name}`);
  return {
    cloud,
    containerd,
    runtime,
    root,
    get agent() {
      return agent;
    },
    run: async (one, phase = 'Running') => {
      await cloud.push(one);
      await cloud.until(`${one.metadata.name} ${phase}`, () => current(one)?.status?.phase === phase, 20_000);
      return current(one) as Pod;
    },
    log: async (one, container = 'c') => {
      const { namespace, name, uid } = one.metadata;
      const text = await readFile(join(root, 'logs', `${namespace}_${name}_${uid}`, container, '0.log'), 'utf8');
      return text.replace(/^\S+ (?:stdout|stderr) [FP] /gm, '');
    },
    restart: async () => {
      await agent.stop();
      agent = await start();
    },
    [Symbol.asyncDispose]: async () => {
      await agent.stop();
      await runtime[Symbol.asyncDispose]();
      await containerd[Symbol.asyncDispose]();
      await unmountBelow(root);
      await rm(root, { recursive: true, force: true });
    },
  };
}
