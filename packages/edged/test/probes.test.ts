import type { ContainerStatus, Pod } from '@edge/protocol';
import { createMemoryRuntime, type MemoryRuntime } from '@edge/testing';
import { describe, expect, it } from 'vitest';
import { openScene, pod, type Scene, type SceneOptions } from './scene.js';

interface Stage extends Scene {
  statusOf(name: string): Pod['status'];
  container(name: string, of?: string): ContainerStatus | undefined;
  condition(name: string, type: string): string | undefined;
}

async function open(options?: SceneOptions): Promise<Stage> {
  const scene = await openScene(options);
  const statusOf = (name: string): Pod['status'] => scene.cloud.pods.get(`default/${name}`)?.status;
  return Object.assign(scene, {
    statusOf,
    container: (name: string, of = 'c') => statusOf(name)?.containerStatuses?.find((one) => one.name === of),
    condition: (name: string, type: string) => statusOf(name)?.conditions?.find((one) => one.type === type)?.status,
  });
}

/** A runtime that writes down which commands are run in its containers and when they are told to end. */
function talkative(results: Readonly<Record<string, number>> = {}): { runtime: MemoryRuntime; said: string[] } {
  const said: string[] = [];
  const runtime = createMemoryRuntime({
    exec: (command) => {
      said.push(command.join(' '));
      const empty = Buffer.alloc(0);
      return { stdout: empty, stderr: Buffer.from(`${command[0]} said no`), exitCode: results[command[0] ?? ''] ?? 0, afterMs: Number(command[1] ?? 0) };
    },
  });
  const stop = runtime.stopContainer.bind(runtime);
  runtime.stopContainer = async (id, grace, signal) => {
    const name = (await runtime.containerStatus(id)).metadata.name;
    said.push(`stop ${name} ${grace}`);
    await stop(id, grace, signal);
    said.push(`${name} ended`);
  };
  return { runtime, said };
}

describe('probes', () => {
  const web = (probes: object): Pod => pod('web', { containers: [{ name: 'c', image: 'busybox', ports: [{ name: 'http', containerPort: 8080 }], ...probes }] });

  it.concurrent('[edged-20.20] a container is ready when its readiness probe says so, and no longer when that fails three times', async () => {
    await using scene = await open();
    const { cloud, runtime, statusOf, container, condition } = scene;
    let up = false;
    runtime.reach.answer = () => ({ status: up ? 200 : 503 });
    await cloud.push(web({ readinessProbe: { httpGet: { port: 'http', path: '/ready?x=1', httpHeaders: [{ name: 'X-Who', value: 'me' }] }, periodSeconds: 1 } }), 'insert');
    await cloud.until('Running', () => statusOf('web')?.phase === 'Running');
    expect(container('web')).toMatchObject({ ready: false, started: true });
    expect(condition('web', 'Ready')).toBe('False');
    up = true;
    await cloud.until('Ready', () => condition('web', 'Ready') === 'True');
    expect(runtime.reach.calls[0]).toMatchObject({ kind: 'http', port: 8080, path: '/ready?x=1' });
    expect(runtime.reach.calls[0]?.headers).toEqual([['User-Agent', 'kube-probe/1.32'], ['Accept', '*/*'], ['X-Who', 'me']]);
    up = false;
    const before = runtime.reach.calls.length;
    await cloud.until('not Ready', () => condition('web', 'Ready') === 'False');
    expect(runtime.reach.calls.length - before).toBe(3);
    expect(container('web')).toMatchObject({ ready: false, restartCount: 0 });
  });

  it.concurrent('[edged-20.21] a container whose liveness probe fails is ended with its hook and its grace and started anew', async () => {
    const { runtime, said } = talkative();
    await using scene = await open({ runtime, config: { reportEvent: true } });
    const { cloud, container } = scene;
    let first = '';
    runtime.reach.answer = () => ({ word: first === container('web')?.containerID ? 'NOT_SERVING' : 'SERVING' });
    const probe = { grpc: { port: 5000, service: 'api' }, periodSeconds: 1, failureThreshold: 1, terminationGracePeriodSeconds: 9 };
    await cloud.push(web({ livenessProbe: probe, lifecycle: { preStop: { exec: { command: ['bye'] } } } }), 'insert');
    await cloud.until('Running', () => container('web')?.ready);
    first = container('web')?.containerID ?? '';
    await cloud.until('restarted', () => container('web')?.restartCount === 1 && container('web')?.state.running);
    expect(said).toEqual(['bye', 'stop c 9', 'c ended']);
    const events = cloud.received.filter(({ route }) => route.resource.includes('/event/')).map(({ content }) => content as { reason: string; message: string });
    expect(events).toContainEqual(expect.objectContaining({ reason: 'Unhealthy', message: 'Liveness probe failed: service unhealthy (responded with "NOT_SERVING")' }));
    expect(events).toContainEqual(expect.objectContaining({ reason: 'Killing', message: expect.stringContaining('Container c failed liveness probe, will be restarted') as string }));
  });

  it.concurrent('[edged-20.22] until the startup probe succeeds nothing else is asked and the container has not started', async () => {
    await using scene = await open();
    const { cloud, runtime, container } = scene;
    let up = false;
    runtime.reach.answer = ({ port }) => (port === 1 && !up ? { refused: true } : {});
    const every = { periodSeconds: 1 };
    await cloud.push(
      web({ startupProbe: { tcpSocket: { port: 1 }, ...every, failureThreshold: 30 }, readinessProbe: { tcpSocket: { port: 2 }, ...every }, livenessProbe: { tcpSocket: { port: 3 }, ...every } }),
      'insert',
    );
    await cloud.until('tried twice', () => runtime.reach.calls.length >= 2);
    expect(container('web')).toMatchObject({ ready: false, started: false, state: { running: {} } });
    up = true;
    await cloud.until('Ready', () => container('web')?.ready && runtime.reach.calls.some(({ port }) => port === 3));
    expect(container('web')?.started).toBe(true);
    const ports = runtime.reach.calls.map(({ port }) => port);
    expect(ports.lastIndexOf(1)).toBeLessThan(ports.indexOf(2));
    expect(ports.lastIndexOf(1)).toBeLessThan(ports.indexOf(3));
  });

  it.concurrent('[edged-20.23] a ready pod stays ready over a restart of the agent, until a probe says otherwise', async () => {
    await using scene = await open();
    const { cloud, runtime, condition } = scene;
    await cloud.push(web({ startupProbe: { tcpSocket: { port: 1 } }, readinessProbe: { tcpSocket: { port: 2 }, periodSeconds: 1 } }), 'insert');
    await cloud.until('Ready', () => condition('web', 'Ready') === 'True');
    const patches = cloud.patches(web({})).length;
    const asked = runtime.reach.calls.length;
    await scene.restart();
    await cloud.until('probed again', () => runtime.reach.calls.length >= asked + 2);
    expect(cloud.patches(web({}))).toHaveLength(patches);
    expect(runtime.reach.calls.slice(asked).map(({ port }) => port)).not.toContain(1);
    runtime.reach.answer = () => ({ refused: true });
    await cloud.until('not Ready', () => condition('web', 'Ready') === 'False');
  });

  it.concurrent('[edged-20.24] a probe that cannot be made says nothing about the container; one that hangs disturbs no other', async () => {
    let missing = 0;
    const runtime = createMemoryRuntime({
      exec: ([word]) => {
        if (word === 'missing') missing += 1;
        if (word === 'missing') throw new Error('no such file');
        return { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0), exitCode: 0, afterMs: word === 'hang' ? 1e9 : 0 };
      },
    });
    await using scene = await open({ runtime });
    const { cloud, statusOf, container } = scene;
    const exec = (word: string): object => ({ exec: { command: [word] }, periodSeconds: 1, failureThreshold: 1 });
    const containers = ['missing', 'hang', 'good'].map((name) => ({ name, image: 'i', livenessProbe: exec(name === 'good' ? 'good' : 'missing'), readinessProbe: exec(name) }));
    await cloud.push(pod('web', { containers }), 'insert');
    await cloud.until('good is ready', () => container('web', 'good')?.ready);
    // Three tries for each probe that could not be made, each second anew.
    await cloud.until('tries at three probes or more', () => missing >= 9 && missing % 3 === 0);
    expect(statusOf('web')?.containerStatuses?.map(({ name, ready, restartCount }) => [name, ready, restartCount])).toEqual([['good', true, 0], ['hang', false, 0], ['missing', false, 0]]);
  });

  it.concurrent('[edged-20.25] while a pod ends its readiness is followed and its liveness is not', async () => {
    const { runtime, said } = talkative();
    await using scene = await open({ runtime });
    const { cloud, container, condition } = scene;
    let down = false;
    runtime.reach.answer = () => (down ? { refused: true } : {});
    const every = { periodSeconds: 1, failureThreshold: 1 };
    await cloud.push(web({ readinessProbe: { tcpSocket: { port: 2 }, ...every }, livenessProbe: { tcpSocket: { port: 3 }, ...every }, lifecycle: { preStop: { exec: { command: ['bye', '2500'] } } } }), 'insert');
    await cloud.until('Ready', () => condition('web', 'Ready') === 'True');
    await cloud.startDeletion(pod('web'), 30);
    await cloud.until('hook', () => said.includes('bye 2500'));
    down = true;
    await cloud.until('not Ready', () => condition('web', 'Ready') === 'False');
    expect(said).toEqual(['bye 2500']);
    expect(container('web')?.state.running).toBeDefined();
    await cloud.until('gone', () => !cloud.pods.has('default/web'));
    expect(said.filter((word) => word.startsWith('bye'))).toHaveLength(1);
  });
});

describe('hooks', () => {
  const hooked = (name: string, lifecycle: object, more: object = {}): Pod => pod(name, { containers: [{ name: 'c', image: 'i', lifecycle, ...more }] });

  it.concurrent('[edged-21.10] postStart runs when the container runs, before the next one is started', async () => {
    const { runtime, said } = talkative();
    await using scene = await open({ runtime });
    const { cloud, statusOf } = scene;
    await cloud.push(pod('web', { containers: [{ name: 'a', image: 'i', lifecycle: { postStart: { exec: { command: ['hello', '300'] } } } }, { name: 'b', image: 'i', lifecycle: { postStart: { httpGet: { port: 81, path: '/up' } } } }] }), 'insert');
    await cloud.until('said', () => said.length > 0);
    expect(runtime.calls.get('startContainer')).toBe(1);
    await cloud.until('Running', () => statusOf('web')?.phase === 'Running');
    expect(runtime.reach.calls).toMatchObject([{ kind: 'http', port: 81, path: '/up' }]);
    expect(runtime.reach.calls[0]?.headers?.[0]).toEqual(['User-Agent', 'kube-lifecycle/1.32']);
  });

  it.concurrent('[edged-21.11] a container whose postStart hook fails is ended, says so, and is started again with back-off', async () => {
    const { runtime, said } = talkative({ fail: 3 });
    await using scene = await open({ runtime, config: { reportEvent: true } });
    const { cloud, container } = scene;
    await cloud.push(hooked('web', { postStart: { exec: { command: ['fail'] } }, preStop: { exec: { command: ['bye'] } } }), 'insert');
    await cloud.until('back-off', () => container('web')?.state.waiting?.reason === 'CrashLoopBackOff');
    expect(said).toEqual(['fail', 'bye', 'stop c 30', 'c ended', 'fail', 'bye', 'stop c 30', 'c ended']);
    const seen = cloud.patches(pod('web')).map((patch) => JSON.stringify(patch));
    expect(seen.some((text) => text.includes('PostStartHookError') && text.includes('fail said no'))).toBe(true);
    const events = cloud.received.filter(({ route }) => route.resource.includes('/event/')).map(({ content }) => content as { reason: string; message: string });
    const told = events.find(({ reason }) => reason === 'FailedPostStartHook');
    expect(told?.message).toContain('exited with 3');
    // What the hook said may be secret.
    expect(told?.message).not.toContain('said no');
  });

  it.concurrent('[edged-21.16] while one container waits to be tried again the others of its pod go on', async () => {
    const runtime = createMemoryRuntime({ images: ['i'] });
    const asked: string[] = [];
    const imageStatus = runtime.imageStatus.bind(runtime);
    runtime.imageStatus = (image, signal) => {
      asked.push(image);
      return imageStatus(image, signal);
    };
    await using scene = await open({ runtime });
    const { cloud, container } = scene;
    await cloud.push(pod('web', { containers: [{ name: 'stuck', image: 'no', imagePullPolicy: 'Never' }, { name: 'c', image: 'i', command: ['exit', '1', '300'] }] }), 'insert');
    await cloud.until('waits', () => container('web', 'stuck')?.state.waiting?.reason === 'ErrImageNeverPull');
    await cloud.until('restarted', () => container('web')?.restartCount === 1);
    expect(container('web', 'stuck')).toMatchObject({ state: { waiting: { reason: 'ErrImageNeverPull' } }, restartCount: 0 });
    await cloud.until('back-off', () => container('web')?.state.waiting?.reason === 'CrashLoopBackOff');
    // One try at first and none since: what the agent has reported itself comes back to it and counts for nothing.
    expect(asked.filter((image) => image.includes('no'))).toHaveLength(1);
  });

  it.concurrent('[edged-21.12] a failing preStop hook changes nothing but the events', async () => {
    const { runtime, said } = talkative({ fail: 1 });
    await using scene = await open({ runtime, config: { reportEvent: true } });
    const { cloud, container } = scene;
    await cloud.push(hooked('web', { preStop: { exec: { command: ['fail'] } } }), 'insert');
    await cloud.until('Running', () => container('web')?.ready);
    await cloud.startDeletion(pod('web'), 20);
    await cloud.until('gone', () => !cloud.pods.has('default/web'));
    expect(said.slice(0, 3)).toEqual(['fail', 'stop c 20', 'c ended']);
    expect(cloud.received.some(({ content }) => (content as { reason?: string } | null)?.reason === 'FailedPreStopHook')).toBe(true);
  });

  it.concurrent('[edged-21.13] preStop takes its time from the grace, two seconds remain, and a pod deleted by force has no hook', async () => {
    const { runtime, said } = talkative();
    await using scene = await open({ runtime });
    const { cloud, container } = scene;
    await cloud.push(hooked('slow', { preStop: { sleep: { seconds: 60 } } }), 'insert');
    await cloud.push(hooked('forced', { preStop: { exec: { command: ['bye'] } } }), 'insert');
    await cloud.until('Running', () => container('slow')?.ready && container('forced')?.ready);
    const began = Date.now();
    await cloud.startDeletion(pod('slow'), 1);
    await cloud.startDeletion(pod('forced'), 0);
    await cloud.until('gone', () => cloud.pods.size === 0);
    expect(Date.now() - began).toBeGreaterThanOrEqual(1000);
    expect(said.filter((text) => text.startsWith('stop'))).toEqual(['stop c 2', 'stop c 2']);
    expect(said).not.toContain('bye');
  });

  it.concurrent('[edged-21.14] a hook that hangs keeps no pod from being deleted, and a shorter grace does not run preStop again', async () => {
    const { runtime, said } = talkative();
    await using scene = await open({ runtime });
    const { cloud, container } = scene;
    await cloud.push(hooked('start', { postStart: { exec: { command: ['hello', '1000000000'] } } }), 'insert');
    await cloud.push(hooked('stop', { preStop: { exec: { command: ['bye', '1000000000'] } } }), 'insert');
    await cloud.until('running', () => container('stop')?.ready && said.some((text) => text.startsWith('hello')));
    await cloud.startDeletion(pod('start'), 30);
    await cloud.startDeletion(pod('stop'), 30);
    await cloud.until('hook', () => said.some((text) => text.startsWith('bye')));
    await cloud.startDeletion(pod('stop'), 1);
    await cloud.until('gone', () => cloud.pods.size === 0);
    expect(said.filter((text) => text.startsWith('bye'))).toHaveLength(1);
  });

  it.concurrent('[edged-21.15] regular containers end side by side, sidecars after them from the last to the first, hooks of all at once', async () => {
    const { runtime, said } = talkative();
    await using scene = await open({ runtime });
    const { cloud, condition } = scene;
    const lifecycle = (word: string): object => ({ preStop: { exec: { command: [word] } } });
    const sidecar = (name: string) => ({ name, image: 'i', restartPolicy: 'Always' as const, command: ['polite', '0', '100'], lifecycle: lifecycle(`bye-${name}`) });
    await cloud.push(pod('web', { initContainers: [sidecar('s1'), sidecar('s2')], containers: [{ name: 'c', image: 'i', command: ['polite', '0', '200'], lifecycle: lifecycle('bye-c') }] }), 'insert');
    await cloud.until('Ready', () => condition('web', 'Ready') === 'True');
    await cloud.startDeletion(pod('web'), 30);
    await cloud.until('gone', () => !cloud.pods.has('default/web'));
    const until = said.indexOf('stop c 30');
    expect(said.slice(0, until).sort()).toEqual(['bye-c', 'bye-s1', 'bye-s2']);
    expect(said.slice(until).map((text) => text.replace(/ \d+$/, ''))).toEqual(['stop c', 'c ended', 'stop s2', 's2 ended', 'stop s1', 's1 ended']);
  });
});

describe('ephemeral containers', () => {
  it.concurrent('[edged-22.10] an ephemeral container joins a pod that runs, is reported, and is not started again after it has ended', async () => {
    await using scene = await open();
    const { cloud, runtime, statusOf, container, condition } = scene;
    await cloud.push(pod('web'), 'insert');
    await cloud.until('Running', () => container('web')?.ready);
    const current = cloud.pods.get('default/web') as Pod;
    await cloud.push({ ...current, spec: { ...current.spec, ephemeralContainers: [{ name: 'debug', image: 'i', command: ['exit', '4', '50'], targetContainerName: 'c' }] } });
    await cloud.until('ended', () => statusOf('web')?.ephemeralContainerStatuses?.[0]?.state.terminated?.exitCode === 4);
    expect(statusOf('web')).toMatchObject({ phase: 'Running' });
    expect(condition('web', 'Ready')).toBe('True');
    await scene.restart();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await runtime.listContainers()).map(({ metadata }) => metadata.name).sort()).toEqual(['c', 'debug']);
  });
});
