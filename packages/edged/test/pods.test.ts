import { afterEach, describe, expect, it } from 'vitest';
import { openScene, PlayedCloud, pod, type Scene, type SceneOptions } from './scene.js';
import { createMemoryRuntime } from '@edge/testing';

let scene: Scene;
const open = async (options?: SceneOptions): Promise<Scene> => (scene = await openScene(options));
afterEach(async () => {
  await scene?.[Symbol.asyncDispose]();
});

describe('pods', () => {
  it('[edged-3.1] starts an assigned pod and reports it: first as being created, then as running', async () => {
    const { cloud, runtime } = await open();
    const web = pod('web');
    await cloud.push(web, 'insert');
    await cloud.until('Running', () => cloud.pods.get('default/web')?.status?.phase === 'Running');
    const [first, second, ...more] = cloud.patches(web);
    expect(more).toEqual([]);
    expect(first).toMatchObject({ metadata: { uid: 'uid-web' }, status: { containerStatuses: [{ name: 'c', state: { waiting: { reason: 'ContainerCreating' } } }] } });
    expect(second).toMatchObject({ status: { phase: 'Running', containerStatuses: [{ ready: true, state: { running: {} } }] } });
    expect(runtime.calls.get('startContainer')).toBe(1);
  });

  it('[edged-3.2] ends a deleted pod: final phase first, then the delete message, then everything of it is removed', async () => {
    const { cloud, runtime } = await open();
    const web = pod('web');
    await cloud.push(web, 'insert');
    await cloud.until('Running', () => cloud.pods.get('default/web')?.status?.phase === 'Running');
    await cloud.startDeletion(web, 30);
    await cloud.until('gone', () => !cloud.pods.has('default/web'));
    const order = cloud.received.filter(({ route }) => route.resource.endsWith('/web')).map(({ route }) => route.operation);
    expect(order).toEqual(['patch', 'patch', 'patch', 'delete']);
    expect(cloud.patches(web)[2]).toMatchObject({ status: { phase: 'Failed', containerStatuses: [{ state: { terminated: { exitCode: 143 } } }] } });
    expect(cloud.sent('delete', 'default/pod/web')[0]?.content).toEqual({ gracePeriodSeconds: 0, preconditions: { uid: 'uid-web' } });
    await expect.poll(async () => (await runtime.listPodSandboxes()).length).toBe(0);
    expect(await runtime.listContainers()).toEqual([]);
  });

  it('[edged-3.3] never restarts a container because the agent was restarted, and touches nothing before it knows the pods', async () => {
    const { cloud, runtime } = await open();
    for (const name of ['a', 'b', 'c']) await cloud.push(pod(name), 'insert');
    await cloud.until('all Running', () => [...cloud.pods.values()].every(({ status }) => status?.phase === 'Running'));
    const before = (await runtime.listContainers()).map(({ id }) => id).sort();
    const podPatches = () => cloud.received.filter(({ route }) => route.resource.includes('/podpatch/')).length;
    const patches = podPatches();
    await scene.restart();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const after = await runtime.listContainers({ state: 'running' });
    expect(after.map(({ id }) => id).sort()).toEqual(before);
    // Nothing is new, so nothing is said.
    expect(podPatches()).toBe(patches);
  });

  it('[edged-3.4] ends what is left of a pod that was taken away while the agent was down', async () => {
    const { cloud, runtime } = await open();
    await cloud.push(pod('gone'), 'insert');
    await cloud.push(pod('stays'), 'insert');
    await cloud.until('all Running', () => [...cloud.pods.values()].every(({ status }) => status?.phase === 'Running'));
    await scene.restart(() => {
      cloud.pods.delete('default/gone');
      cloud.stored.delete('pod default/gone');
    });
    await expect.poll(async () => (await runtime.listPodSandboxes()).map(({ metadata }) => metadata.name)).toEqual(['stays']);
  });

  it('[edged-3.5] leaves containers of unknown pods alone while the stored pods cannot be read completely', async () => {
    const { cloud, runtime } = await open();
    await cloud.push(pod('kept'), 'insert');
    await cloud.until('Running', () => cloud.pods.get('default/kept')?.status?.phase === 'Running');
    await scene.restart(() => cloud.stored.set('pod default/kept', '{"metadata":'));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await runtime.listContainers({ state: 'running' })).length).toBe(1);
  });

  it('[edged-3.6] stays quiet when the API server drops members of the status that it does not know', async () => {
    const cloud = new PlayedCloud();
    cloud.unknownStatusFields = ['hostIPs'];
    await open({ cloud });
    const web = pod('web');
    await cloud.push(web, 'insert');
    await cloud.until('Running', () => cloud.pods.get('default/web')?.status?.phase === 'Running');
    scene.disconnect();
    scene.connect();
    await cloud.until('said once more', () => cloud.patches(web).length >= 2);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(cloud.patches(web).length).toBe(2);
    expect(cloud.patches(web)[1]).toMatchObject({ status: { hostIPs: [{ ip: '192.0.2.10' }] } });
  });

  it('[edged-3.7] a Never pod that ends is reported as Succeeded or Failed and not run again', async () => {
    const { cloud, runtime } = await open();
    await cloud.push(pod('ok', { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i', command: ['exit', '0', '20'] }] }), 'insert');
    await cloud.push(pod('bad', { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i', command: ['exit', '3', '20'] }] }), 'insert');
    await cloud.until('both final', () => cloud.pods.get('default/ok')?.status?.phase === 'Succeeded' && cloud.pods.get('default/bad')?.status?.phase === 'Failed');
    expect(runtime.calls.get('startContainer')).toBe(2);
    expect(cloud.pods.get('default/bad')?.status?.containerStatuses?.[0]?.state.terminated).toMatchObject({ exitCode: 3, reason: 'Error' });
  });

  it('[edged-3.8] restarts a failed container at once the first time, then waits and says so', async () => {
    const { cloud } = await open();
    await cloud.push(pod('crash', { containers: [{ name: 'c', image: 'i', command: ['exit', '1', '10'] }] }), 'insert');
    await cloud.until('back-off', () => cloud.pods.get('default/crash')?.status?.containerStatuses?.[0]?.state.waiting?.reason === 'CrashLoopBackOff');
    expect(cloud.pods.get('default/crash')?.status).toMatchObject({
      phase: 'Running',
      containerStatuses: [{ restartCount: 1, lastState: { terminated: { exitCode: 1 } }, state: { waiting: { message: 'back-off 10s restarting failed container=c pod=crash_default(uid-crash)' } } }],
    });
  });

  it('[edged-3.9] waits for a missing ConfigMap with a reason, and starts when it is pushed', async () => {
    const { cloud } = await open();
    const env = [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'cm', key: 'x' } } }];
    await cloud.push(pod('env', { containers: [{ name: 'c', image: 'i', command: ['run'], env }] }), 'insert');
    const status = () => cloud.pods.get('default/env')?.status;
    await cloud.until('config error', () => status()?.containerStatuses?.[0]?.state.waiting?.reason === 'CreateContainerConfigError');
    expect(status()?.containerStatuses?.[0]?.state.waiting?.message).toBe('configmap "cm" not found');
    await cloud.pushObject('configmap', { metadata: { namespace: 'default', name: 'cm' }, data: { x: '1' } } as never);
    await cloud.until('Running', () => status()?.phase === 'Running');
  });

  it('[edged-3.10] starts stored pods without any link', async () => {
    const cloud = new PlayedCloud();
    cloud.online = false;
    cloud.put(pod('offline'));
    const { runtime } = await open({ cloud, connected: false });
    await expect.poll(async () => (await runtime.listContainers({ state: 'running' })).length).toBe(1);
  });

  it('[edged-3.11] a pod of the same name with another uid takes the place of the old one after that has ended', async () => {
    const { cloud, runtime } = await open();
    await cloud.push(pod('web', { uid: 'one' }), 'insert');
    await cloud.until('Running', () => cloud.pods.get('default/web')?.status?.phase === 'Running');
    await cloud.push(pod('web', { uid: 'two' }), 'insert');
    await cloud.until('the second Running', () => cloud.pods.get('default/web')?.metadata.uid === 'two' && cloud.pods.get('default/web')?.status?.phase === 'Running');
    await expect.poll(async () => (await runtime.listPodSandboxes()).map(({ metadata }) => metadata.uid)).toEqual(['two']);
  });

  it('[edged-3.12] shortens the time a pod has to end when asked, instead of waiting for the longer one', async () => {
    const { cloud } = await open();
    const slow = pod('slow', { containers: [{ name: 'c', image: 'i', command: ['stubborn'] }] });
    await cloud.push(slow, 'insert');
    await cloud.until('Running', () => cloud.pods.get('default/slow')?.status?.phase === 'Running');
    await cloud.startDeletion(slow, 600);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await cloud.startDeletion(slow, 1);
    await cloud.until('gone', () => !cloud.pods.has('default/slow'));
  });

  it('[edged-3.30] a pod that is deleted at once while the runtime is being asked does not get the time that it had before', async () => {
    const runtime = createMemoryRuntime({});
    const list = runtime.listPodSandboxes.bind(runtime);
    let asked: (() => void) | undefined;
    runtime.listPodSandboxes = async (...question) => {
      asked?.();
      if (asked) await new Promise((later) => setTimeout(later, 200));
      return list(...question);
    };
    const { cloud } = await open({ runtime });
    const slow = pod('slow', { terminationGracePeriodSeconds: 600, containers: [{ name: 'c', image: 'i', command: ['stubborn'] }] });
    await cloud.push(slow, 'insert');
    await cloud.until('Running', () => cloud.pods.get('default/slow')?.status?.phase === 'Running');
    const isAsked = new Promise<void>((resolve) => (asked = resolve));
    await cloud.push({ ...slow, metadata: { ...slow.metadata, labels: { changed: 'yes' } } });
    await isAsked;
    await cloud.raw('delete', 'default/pod/slow', { ...slow, metadata: { ...slow.metadata, deletionGracePeriodSeconds: 0 } });
    await expect.poll(async () => (await list()).length).toBe(0);
  });

  it('[edged-3.14] tells the cloud what happens when reportEvent is on, and nothing when it is off', async () => {
    const { cloud } = await open({ config: { reportEvent: true } });
    await cloud.push(pod('crash', { containers: [{ name: 'c', image: 'i', command: ['exit', '1', '10'] }] }), 'insert');
    const reasons = () => cloud.received.filter(({ route }) => route.resource.includes('/event/')).map(({ content }) => {
      const { event, reason } = content as { event?: { reason: string; count: number }; reason?: string };
      // How long a pull took makes each of these another event, or not.
      return reason ?? (event?.reason === 'Pulled' ? 'Pulled' : `${event?.reason} x${event?.count}`);
    });
    await cloud.until('back-off told', () => reasons().includes('BackOff'));
    expect(reasons()).toEqual(['Pulling', 'Pulled', 'Created', 'Started', 'Pulling x2', 'Pulled', 'Created x2', 'Started x2', 'BackOff']);
    const [event] = cloud.received.filter(({ route }) => route.resource.includes('/event/'));
    expect(event?.route).toMatchObject({ operation: 'insert', source: 'edged', group: 'meta', resource: expect.stringMatching(/^default\/event\/crash\./) });
    expect(event?.content).toMatchObject({ involvedObject: { kind: 'Pod', name: 'crash', uid: 'uid-crash', fieldPath: 'spec.containers{c}' }, type: 'Normal', count: 1 });
  });

  it('[edged-3.15] a push that is no pod is set aside and disturbs nothing', async () => {
    const { cloud } = await open();
    await cloud.push(pod('first'), 'insert');
    // From then on pushes are looked at: what came before the agent had its runtime is in the store.
    await cloud.until('Running', () => cloud.pods.get('default/first')?.status?.phase === 'Running');
    for (const content of [null, 7, 'pod', {}, { metadata: { uid: 'u', name: 'n', namespace: 'default' }, spec: { containers: [null] } }]) {
      await cloud.push(pod('web'), 'insert');
      await cloud.raw('update', 'default/pod/web', content);
      await cloud.raw('delete', 'default/pod/other', content);
    }
    await cloud.until('Running', () => cloud.pods.get('default/web')?.status?.phase === 'Running');
    await expect.poll(() => scene.agent.letters.length).toBe(5);
  });

  it('[edged-3.13] runs a thousand pods, each container started once', async () => {
    const runtime = createMemoryRuntime({});
    const { cloud } = await open({ runtime, config: { tailoredKubeletConfig: { maxPods: 1000 } } });
    for (let i = 0; i < 1000; i += 1) await cloud.push(pod(`p${i}`), 'insert');
    await cloud.until('all Running', () => [...cloud.pods.values()].filter(({ status }) => status?.phase === 'Running').length === 1000, 90_000);
    expect(runtime.calls.get('startContainer')).toBe(1000);
  }, 100_000);
});
