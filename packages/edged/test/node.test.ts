import { afterEach, describe, expect, it } from 'vitest';
import { createCell, type LinkStatus } from '@edge/core';
import { createMessage, type KubeNode, type Pod } from '@edge/protocol';
import { createMemoryRuntime, runModule, startModule, testIdentity } from '@edge/testing';
import { createEdged, openConfiguredRuntime } from '../src/index.js';
import { NODE, openScene, PlayedCloud, pod, withLink, type Scene } from './scene.js';
import { mkdtemp, rm, chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let scene: Scene | undefined;
afterEach(async () => {
  await scene?.[Symbol.asyncDispose]();
  scene = undefined;
});

const ready = (node: KubeNode | undefined) => node?.status?.conditions?.find(({ type }) => type === 'Ready');
const nodePatches = (cloud: PlayedCloud) => cloud.sent('patch', `null/nodepatch/${NODE}`).map(({ content }) => JSON.parse(content as string) as { status?: KubeNode['status'] });

describe('node', () => {
  it('[edged-2.1] registers as Ready with its first message and creates its lease, owned by the node', async () => {
    scene = await openScene();
    const { cloud } = scene;
    await cloud.until('registered with a lease', () => cloud.node && cloud.lease);
    expect(ready(cloud.node)).toMatchObject({ status: 'True', reason: 'EdgeReady' });
    expect(cloud.lease).toMatchObject({ spec: { holderIdentity: NODE, leaseDurationSeconds: 40 }, metadata: { ownerReferences: [{ kind: 'Node', uid: 'node-uid' }] } });
    expect(cloud.node?.status?.nodeInfo?.['kubeletVersion']).toBe('v1.32.10-kubeedge-v0.0.0-test');
    expect(nodePatches(cloud)).toEqual([]);
  });

  it('[edged-2.40] tells whoever asks on the node whether it can run pods', async () => {
    scene = await openScene({ connected: false });
    const { cloud } = scene;
    await expect.poll(() => cloud.ask('node/readiness')).toEqual({ ready: true, reason: expect.any(String) as string });
  });

  it('[edged-2.2] says nothing without a link, and registers as soon as there is one', async () => {
    scene = await openScene({ connected: false });
    const { cloud } = scene;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(cloud.received.filter(({ route }) => route.operation !== 'query')).toEqual([]);
    scene.connect();
    await cloud.until('registered', () => cloud.node !== undefined);
  });

  it('[edged-2.13] another module of the agent has a word of its own written at the Node; annotations of others are left alone', async () => {
    scene = await openScene();
    const { cloud } = scene;
    await cloud.until('registered', () => cloud.node !== undefined);
    const remark = (content: unknown) => createMessage({ source: 'edgestream', group: 'edged', operation: 'update', resource: 'node/annotations', content });
    const annotations = () => cloud.node?.metadata.annotations;
    const before = annotations();
    // What is not ours, or no text, is refused as a whole.
    for (const wrong of [{ cloudcore: 'x', 'edge.kubeedge.io/stream': 'x' }, { 'edge.kubeedge.io/stream': 5 }, {}, null, ['x']]) await scene.agent.bus.bus.send({ module: 'edged' }, remark(wrong));
    await scene.agent.bus.bus.send({ module: 'edged' }, remark({ 'edge.kubeedge.io/stream': 'ok' }));
    await cloud.until('remark', () => annotations()?.['edge.kubeedge.io/stream'] === 'ok');
    expect(annotations()).toEqual({ ...before, 'edge.kubeedge.io/stream': 'ok' });
    const patches = cloud.sent('patch', `null/nodepatch/${NODE}`).length;
    await scene.agent.bus.bus.send({ module: 'edged' }, remark({ 'edge.kubeedge.io/stream': 'ok' }));
    await scene.agent.bus.bus.send({ module: 'edged' }, remark({ 'edge.kubeedge.io/stream': `failed: ${'x'.repeat(5000)}` }));
    await cloud.until('second remark', () => annotations()?.['edge.kubeedge.io/stream']?.startsWith('failed: ') ?? false);
    expect(annotations()?.['edge.kubeedge.io/stream']).toHaveLength(1024);
    expect(cloud.sent('patch', `null/nodepatch/${NODE}`).length).toBe(patches + 1);
  });

  it('[edged-2.3] each new session begins with lease and node status, which puts right what the cloud has concluded', async () => {
    // So seldom that nothing of what is waited for comes by itself.
    scene = await openScene({ config: { tailoredKubeletConfig: { nodeStatusUpdateFrequency: '5m', nodeLeaseDurationSeconds: 2400 } } });
    const { cloud } = scene;
    await cloud.until('registered with a lease', () => cloud.node && cloud.lease);
    const renewals = cloud.sent('update', `kube-node-lease/lease/${NODE}`).length;
    scene.disconnect();
    // The cloud gave the node up meanwhile; the push of that is lost.
    const conditions = (cloud.node?.status?.conditions ?? []).map((one) => ({ ...one, status: 'Unknown' as const, reason: 'NodeStatusUnknown' }));
    cloud.node = { ...(cloud.node as KubeNode), status: { ...cloud.node?.status, conditions } };
    scene.connect();
    await cloud.until('Ready again', () => ready(cloud.node)?.status === 'True');
    await cloud.until('lease renewed', () => cloud.sent('update', `kube-node-lease/lease/${NODE}`).length > renewals);
    expect(ready(cloud.node)?.reason).toBe('EdgeReady');
  });

  it('[edged-2.9] a lease that somebody else has written is read and renewed at once', async () => {
    // So seldom that nothing of what is waited for comes by itself.
    scene = await openScene({ config: { tailoredKubeletConfig: { nodeStatusUpdateFrequency: '5m', nodeLeaseDurationSeconds: 2400 } } });
    const { cloud } = scene;
    await cloud.until('lease', () => cloud.lease);
    scene.disconnect();
    cloud.lease = { ...cloud.lease, metadata: { ...cloud.lease?.metadata, resourceVersion: '9999' } } as never;
    scene.connect();
    await cloud.until('renewed', () => cloud.lease?.metadata.resourceVersion !== '9999');
  });

  it('[edged-2.10] after a silence in which the lease ran out, says again of each pod that it is ready', async () => {
    scene = await openScene();
    const { cloud } = scene;
    const web = pod('web');
    await cloud.push(web, 'insert');
    const readyOf = () => cloud.pods.get('default/web')?.status?.conditions?.find(({ type }) => type === 'Ready');
    await cloud.until('Ready with a lease', () => readyOf()?.status === 'True' && cloud.lease);
    scene.disconnect();
    // The cloud gave the pod up and the push of that never came.
    const given = cloud.pods.get('default/web') as Pod;
    const conditions = given.status?.conditions?.map((one) => (one.type === 'Ready' ? { ...one, status: 'False' as const, reason: 'NodeNotReady' } : one));
    cloud.pods.set('default/web', { ...given, status: { ...given.status, ...(conditions ? { conditions } : {}) } });
    scene.connect();
    await new Promise((resolve) => setTimeout(resolve, 100));
    // A short silence: the cloud has not concluded anything, so nothing is repeated.
    expect(readyOf()?.status).toBe('False');
    await scene.restart(() => {
      cloud.lease = { ...cloud.lease, spec: { ...cloud.lease?.spec, renewTime: '2020-01-01T00:00:00.000000Z' } } as never;
    });
    await cloud.until('Ready again', () => readyOf()?.status === 'True');
    expect(readyOf()?.reason).toBeUndefined();
  });

  it('[edged-2.4] a node that the cloud knows and the store does not sends its whole status and goes on', async () => {
    const cloud = new PlayedCloud();
    cloud.node = { metadata: { name: NODE, uid: 'node-uid', resourceVersion: '5' }, spec: {}, status: {} };
    scene = await openScene({ cloud });
    await cloud.until('Ready', () => ready(cloud.node)?.status === 'True');
    const [patch] = nodePatches(cloud);
    expect(Object.keys(patch?.status ?? {}).sort()).toEqual(['addresses', 'allocatable', 'capacity', 'conditions', 'nodeInfo']);
    await cloud.until('lease', () => cloud.lease?.metadata.ownerReferences?.[0]?.uid === 'node-uid');
  });

  it('[edged-2.5] a node that somebody deleted registers again', async () => {
    scene = await openScene({ config: { tailoredKubeletConfig: { nodeStatusUpdateFrequency: '50ms', nodeStatusReportFrequency: '100ms' } } });
    const { cloud } = scene;
    await cloud.until('registered', () => cloud.node !== undefined);
    cloud.node = undefined;
    cloud.nodeIsDeleted = true;
    await cloud.until('registered again', () => cloud.node !== undefined);
  });

  it('[edged-2.11] a node that somebody deleted registers again as soon as the cloud says so, and says again of each pod that it is ready', async () => {
    scene = await openScene();
    const { cloud } = scene;
    const web = pod('web');
    await cloud.push(web, 'insert');
    await cloud.until('Running with a lease', () => cloud.pods.get('default/web')?.status?.phase === 'Running' && cloud.lease);
    const patches = cloud.patches(web).length;
    scene.disconnect();
    cloud.node = undefined;
    cloud.lease = undefined;
    cloud.nodeIsDeleted = true;
    scene.connect();
    await cloud.until('registered again', () => cloud.node !== undefined);
    // Its pods went with it and the cloud tells nobody; the refusal of a status does.
    await cloud.until('a status of the pod', () => cloud.patches(web).length > patches);
  });

  it('[edged-2.6] reports a change at the next look, and without one only when the report is due', async () => {
    scene = await openScene({ config: { tailoredKubeletConfig: { nodeStatusUpdateFrequency: '30ms' } } });
    const { cloud, runtime } = scene;
    await cloud.until('registered', () => cloud.node !== undefined);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(nodePatches(cloud)).toEqual([]);
    runtime.setConditions([
      { type: 'RuntimeReady', status: true, reason: '', message: '' },
      { type: 'NetworkReady', status: false, reason: 'NetworkPluginNotReady', message: 'cni plugin not initialized' },
    ]);
    await cloud.until('not Ready', () => ready(cloud.node)?.status === 'False');
    expect(ready(cloud.node)).toMatchObject({
      reason: 'KubeletNotReady',
      message: 'container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:cni plugin not initialized',
    });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(nodePatches(cloud).length).toBe(1);
  });

  it('[edged-2.7] without a usable runtime the node registers, is not Ready and says what to do', async () => {
    const root = await mkdtemp(join(tmpdir(), 'edged-cri-'));
    const cloud = new PlayedCloud();
    const link = createCell<LinkStatus>({ connected: true, session: 1, since: 0 });
    await using _running = await runModule(withLink(openConfiguredRuntime, link), {
      config: { modules: { edged: { rootDirectory: root, tailoredKubeletConfig: { containerRuntimeEndpoint: `unix://${root}/none.sock`, staticPodPath: join(root, 'manifests') } } } },
      identity: testIdentity(NODE),
      neighbours: (bus) => cloud.join(bus),
    });
    await cloud.until('registered', () => cloud.node !== undefined);
    expect(ready(cloud.node)).toMatchObject({ status: 'False', reason: 'KubeletNotReady' });
    expect(ready(cloud.node)?.message).toContain(`no container runtime answers at ${root}/none.sock`);
    await rm(root, { recursive: true });
  });

  it('[edged-2.8] a root directory that cannot be made is a clear error', async () => {
    const root = await mkdtemp(join(tmpdir(), 'edged-root-'));
    const file = join(root, 'file');
    await (await import('node:fs/promises')).writeFile(file, '');
    await using running = startModule(createEdged(async () => createMemoryRuntime({})), { config: { modules: { edged: { rootDirectory: join(file, 'below') } } } });
    await expect(running.ready()).rejects.toThrow(/modules\.edged\.rootDirectory is .*below, which this user cannot write/);
    await chmod(root, 0o700);
    await rm(root, { recursive: true });
  });
});
