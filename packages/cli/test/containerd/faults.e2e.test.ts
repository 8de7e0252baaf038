import { startContainerd, type Containerd } from '@edge/testing';
import type { KubeNode, Pod } from '@edge/protocol';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/agent.js';
import { attempts, podOn, readyMessage, running } from '../support/containers.js';
import { NODE, openScene, type Scene } from '../support/scene.js';

/** One node with three pods goes through what container runtimes do to it. */
describe('faults of the container runtime', () => {
  let containerd: Containerd;
  let scene: Scene;
  let before: ReadonlyMap<string, string>;
  const pods = ['steady-0', 'steady-1', 'steady-2'];

  beforeAll(async () => {
    containerd = await startContainerd();
    scene = await openScene({ containerd });
    await scene.ready(0, 90_000);
    for (const name of pods) await create(podOn(NODE, name, 'while true; do sleep 1; done'));
    await until(() => pods.every((name) => scene.pod(name)?.status?.phase === 'Running'), 'the pods do not run');
    before = await running(containerd);
  }, 200_000);

  afterAll(async () => {
    await scene?.[Symbol.asyncDispose]();
    await containerd?.[Symbol.asyncDispose]();
  }, 60_000);

  const create = (pod: Pod): Promise<unknown> => scene.cloud.api.resource('v1', 'pods').create(pod as never);
  const until = (fits: () => boolean, text: string, ms = 90_000): Promise<void> => eventually(fits, ms, () => `${text}; ready: ${readyMessage(node())}; agent's log ends:\n${scene.agent.log.slice(-3000)}`);
  const node = (): KubeNode | undefined => scene.cloud.api.resource<KubeNode>('v1', 'nodes').find(NODE);
  const events = async (reason: string): Promise<number> =>
    (await scene.cloud.api.resource<{ metadata: object; reason: string }>('v1', 'events').list()).items.filter((event) => event.reason === reason).length;

  it('[faults-1] containerd stopped and started: the node says so, the pods are untouched, and pods made meanwhile run', { timeout: 300_000 }, async () => {
    await containerd.stop();
    await until(() => readyMessage(node()).includes('container runtime does not answer'), 'the node does not say that the runtime is away');
    await create(podOn(NODE, 'made-in-outage', 'sleep 3600'));
    await containerd.start();
    const back = Date.now();
    await until(() => readyMessage(node()) === 'EdgeReady' && scene.pod('made-in-outage')?.status?.phase === 'Running', 'not recovered from the outage');
    console.log(`recovered ${Date.now() - back} ms after the runtime's return`);
    for (const [id, name] of before) expect((await running(containerd)).get(id)).toBe(name);
  });

  it('[faults-2] containerd hanging: the lease goes on, the node says so, and afterwards everything does', { timeout: 300_000 }, async () => {
    containerd.freeze();
    const lease = (): string => scene.cloud.api.resource<{ metadata: object; spec: { renewTime: string } }>('coordination.k8s.io/v1', 'leases').find(NODE, 'kube-node-lease')?.spec.renewTime ?? '';
    await until(() => readyMessage(node()).includes('does not answer'), 'the node does not say that the runtime hangs', 60_000);
    const renewed = lease();
    await create(podOn(NODE, 'made-in-hang', 'sleep 3600'));
    await until(() => lease() > renewed, 'the lease is not renewed while the runtime hangs');
    containerd.thaw();
    await until(() => readyMessage(node()) === 'EdgeReady' && scene.pod('made-in-hang')?.status?.phase === 'Running', 'not recovered from the hang');
    for (const [id, name] of before) expect((await running(containerd)).get(id)).toBe(name);
  });

  it('[faults-3] an image that is missing: the pod says so and runs as soon as the image is there', { timeout: 300_000 }, async () => {
    const pod = podOn(NODE, 'no-image', 'sleep 3600');
    pod.spec.containers[0] = { ...pod.spec.containers[0], name: 'main', image: 'localhost/edge/later:1', imagePullPolicy: 'IfNotPresent' };
    await create(pod);
    const reason = (): string => scene.pod('no-image')?.status?.containerStatuses?.[0]?.state.waiting?.reason ?? '';
    await until(() => reason() === 'ErrImagePull' || reason() === 'ImagePullBackOff', 'the missing image is not told');
    await containerd.importImage({ name: 'localhost/edge/later:1' });
    await until(() => scene.pod('no-image')?.status?.phase === 'Running', 'the pod does not run although its image is there', 60_000);
    expect((await events('Failed')) + (await events('BackOff'))).toBeGreaterThan(0);
  });

  it('[faults-4] a broken network: the node says so, pods on the host network run, the others follow when it is mended', { timeout: 300_000 }, async () => {
    const config = join(containerd.cniDir, '10-test.conflist');
    const text = readFileSync(config, 'utf8');
    rmSync(config);
    await until(() => readyMessage(node()).includes('NetworkReady=false'), 'the node does not say that the network is not ready');
    const onHost = podOn(NODE, 'on-host', 'sleep 3600');
    onHost.spec.hostNetwork = true;
    await create(onHost);
    await create(podOn(NODE, 'needs-network', 'sleep 3600'));
    await until(() => scene.pod('on-host')?.status?.phase === 'Running', 'a pod on the host network does not run');
    expect(scene.pod('needs-network')?.status?.phase).toBe('Pending');
    writeFileSync(config, text);
    await until(() => readyMessage(node()) === 'EdgeReady' && scene.pod('needs-network')?.status?.phase === 'Running', 'the pod does not run although the network is back');
  });

  it('[faults-5] nothing of this restarted a container', async () => {
    expect(await attempts(containerd, pods)).toEqual(new Map(pods.map((name) => [name, 1])));
  });
});
