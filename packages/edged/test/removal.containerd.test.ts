import { existsSync } from 'node:fs';
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createCell, silentLogger, type LinkStatus, type PodSandboxConfig } from '@edge/core';
import { createCriRuntime } from '@edge/cri';
import { BUSYBOX_IMAGE, mountsBelow, ownLoopback, runModule, startContainerd, testIdentity, type Containerd } from '@edge/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openConfiguredRuntime, parseEdgedConfig, removePods } from '../src/index.js';
import { NODE, pod, PlayedCloud, withLink } from './scene.js';

let containerd: Containerd;
let root = '';
let logs = '';

beforeAll(async () => {
  containerd = await startContainerd();
  root = join(containerd.folder, 'kubelet');
  logs = join(containerd.folder, 'var', 'pods');
});
afterAll(() => containerd[Symbol.asyncDispose]());

/** The names below a folder, files and folders alike. */
const below = async (folder: string): Promise<string[]> => (await readdir(folder, { recursive: true })).sort();
const signal = (): AbortSignal => AbortSignal.timeout(60_000);

it('[edged-40.1] everything of pods goes: containers, mounts, control groups, volumes, logs; sandboxes and files of others stay', async () => {
  const config = {
    modules: { edged: { rootDirectory: root, tailoredKubeletConfig: { podLogsDir: logs, address: ownLoopback(), containerRuntimeEndpoint: containerd.socket, cgroupRoot: containerd.cgroupRoot } } },
    edge: { runtime: 'cri' },
  };
  const cloud = new PlayedCloud();
  const agent = await runModule(withLink(openConfiguredRuntime, createCell<LinkStatus>({ connected: true, session: 1, since: 0 })), {
    config,
    identity: testIdentity(NODE, ['192.0.2.10']),
    neighbours: (bus) => cloud.join(bus),
  });
  await cloud.push(
    pod('goes', {
      containers: [{ name: 'c', image: BUSYBOX_IMAGE, imagePullPolicy: 'Never', command: ['/bin/sh', '-c', "trap 'exit 0' TERM; while :; do sleep 0.1; done"], volumeMounts: [{ name: 'memory', mountPath: '/m' }] }],
      volumes: [{ name: 'memory', emptyDir: { medium: 'Memory' } }],
    }),
  );
  await cloud.until('goes Running', () => cloud.pods.get('default/goes')?.status?.phase === 'Running', 60_000);
  await agent.stop();

  await using runtime = await createCriRuntime({ endpoint: containerd.socket });
  const foreign = (name: string, labels: Record<string, string>): PodSandboxConfig => ({
    metadata: { name, namespace: 'theirs', uid: `uid-${name}`, attempt: 0 },
    logDirectory: join(containerd.folder, 'their-logs', name),
    labels,
    annotations: {},
    hostNetwork: true,
  });
  const unlabelled = await runtime.runPodSandbox(foreign('plain', {}));
  const another = await runtime.runPodSandbox(foreign('kubelet', { 'io.kubernetes.pod.uid': 'uid-kubelet', 'io.kubernetes.pod.name': 'kubelet' }));
  await writeFile(join(root, 'theirs'), 'x');
  await mkdir(join(root, 'plugins_registry'), { recursive: true });
  await writeFile(join(root, 'plugins_registry', 'driver.sock'), '');
  await writeFile(join(logs, 'notes_of_theirs'), 'x');
  await mkdir(join(logs, '..', 'containers'), { recursive: true });
  await symlink('/dev/null', join(logs, '..', 'containers', 'theirs.log'));
  expect(mountsBelow(root)).not.toEqual([]);

  const removal = await removePods({ config: parseEdgedConfig(config.modules.edged, config), log: silentLogger, signal: signal() });
  expect(removal.left).toEqual([]);
  expect(removal.removed).toContain('pod default/goes');
  expect((await runtime.listPodSandboxes()).map(({ id }) => id).sort()).toEqual([unlabelled, another].sort());
  expect((await runtime.listPodSandboxes({ state: 'ready' })).length).toBe(2);
  expect(mountsBelow(root)).toEqual([]);
  expect(await below(root)).toEqual(['plugins_registry', 'plugins_registry/driver.sock', 'theirs']);
  expect(await below(join(logs, '..'))).toEqual(['containers', 'containers/theirs.log', 'pods', 'pods/notes_of_theirs']);
  for (const tree of ['/sys/fs/cgroup', '/sys/fs/cgroup/memory', '/sys/fs/cgroup/unified']) expect(existsSync(join(tree, containerd.cgroupRoot, 'kubepods'))).toBe(false);

  // Once more there is nothing to do.
  expect(await removePods({ config: parseEdgedConfig(config.modules.edged, config), log: silentLogger, signal: signal() })).toEqual({ removed: [], left: [] });
}, 180_000);
