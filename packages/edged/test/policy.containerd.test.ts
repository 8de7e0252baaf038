import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUSYBOX_IMAGE } from '@edge/testing';
import type { Pod } from '@edge/protocol';
import { NodeSignals } from '../src/policy/node-signals.js';
import { PodUseReader } from '../src/policy/pod-use.js';
import { openCriScene, shellPod, type CriScene } from './cri-scene.js';
import { NODE } from './scene.js';

const MI = 2n ** 20n;
const now = new AbortController().signal;
let scene: CriScene;
beforeAll(async () => {
  scene = await openCriScene();
}, 60_000);
afterAll(() => scene?.[Symbol.asyncDispose](), 30_000);

describe('on containerd', () => {
  it('[edged-33.20] a static pod runs, shows its mirror, survives the agent and goes with its file', { timeout: 60_000 }, async () => {
    const { cloud, root, runtime } = scene;
    const file = join(root, 'manifests', 'web.yaml');
    await mkdir(join(root, 'manifests'), { recursive: true });
    const manifest = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'c', image: BUSYBOX_IMAGE, imagePullPolicy: 'IfNotPresent', command: ['sleep', '600'] }] } };
    await writeFile(file, JSON.stringify(manifest));
    const mirror = (): Pod | undefined => cloud.pods.get(`default/web-${NODE}`);
    await cloud.until('mirror Running', () => mirror()?.status?.phase === 'Running', 20_000);
    const [sandbox] = await runtime.listPodSandboxes({ labels: { 'io.kubernetes.pod.name': `web-${NODE}` } });
    expect(sandbox?.annotations).toMatchObject({ 'kubernetes.io/config.source': 'file', 'kubernetes.io/config.hash': sandbox?.metadata.uid });
    const before = mirror()?.status?.containerStatuses?.[0]?.containerID;
    await scene.restart();
    await scene.run(shellPod('after', 'sleep 600'));
    expect([mirror()?.status?.phase, mirror()?.status?.containerStatuses?.[0]?.containerID]).toEqual(['Running', before]);
    await rm(file);
    await cloud.until('gone', () => mirror() === undefined, 20_000);
  });

  it('[edged-31.20] a pod with a forbidden sysctl is turned away before anything of it is made', { timeout: 30_000 }, async () => {
    const done = await scene.run(shellPod('unsafe', 'true', { securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '65536' }] } }), 'Failed');
    expect(done.status).toMatchObject({ reason: 'SysctlForbidden', message: expect.stringContaining('Pod was rejected: forbidden sysctl: "kernel.msgmax"') as string });
    expect(await scene.runtime.listPodSandboxes({ labels: { 'io.kubernetes.pod.name': 'unsafe' } })).toEqual([]);
  });

  it('[edged-32.16] what pods use of memory, disk and processes is measured, and what the node has left', { timeout: 60_000 }, async () => {
    const { root, runtime, containerd } = scene;
    const busy = await scene.run(
      shellPod('busy', 'dd if=/dev/zero of=/layer bs=1M count=8; dd if=/dev/zero of=/data/file bs=1M count=4; sleep 601 & sleep 602 & exec sleep 600', {
        volumes: [{ name: 'data', emptyDir: {} }],
        containers: [{ name: 'c', volumeMounts: [{ name: 'data', mountPath: '/data' }] }],
      }),
    );
    const uid = busy.metadata.uid ?? '';
    const reader = new PodUseReader({ runtime, rootDirectory: root, podLogsDir: join(root, 'logs') });
    const parts = { files: true, layers: true };
    const use = async (signal: Parameters<typeof reader.measure>[0]) => (await reader.measure(signal, [busy], parts, now)).get(uid);
    expect((await use('memory.available'))?.containers.get('c')).toBeGreaterThan(0n);
    // The runtime measures layers every ten seconds.
    await expect.poll(async () => (await use('nodefs.available'))?.total, { timeout: 25_000, interval: 500 }).toBeGreaterThanOrEqual(12n * MI);
    expect((await use('pid.available'))?.total).toBeGreaterThanOrEqual(3n);
    const signals = new NodeSignals({ rootDirectory: root, runtime, podsGroup: `${containerd.cgroupRoot}/kubepods`, podMemory: () => 1024n * MI });
    const seen = await signals.observe(now);
    const { available, capacity } = seen.get('allocatableMemory.available') ?? { available: 0n, capacity: 0n };
    expect(capacity === 1024n * MI && available > 0n && available < capacity).toBe(true);
    expect([...seen.keys()]).toContain('imagefs.available');
  });
});
