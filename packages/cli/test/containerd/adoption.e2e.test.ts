import { createCriRuntime, type CriRuntime } from '@edge/cri';
import { BUSYBOX_IMAGE, startContainerd, type Containerd } from '@edge/testing';
import type { ContainerStatus, Pod } from '@edge/protocol';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/agent.js';
import { podOn, running } from '../support/containers.js';
import { goHash, startAsGoAgent, type GoPod, type GoRun } from '../support/go-agent.js';
import { NODE, openScene, type Scene } from '../support/scene.js';

const ALIVE = 'while true; do sleep 1; done';
const OLD_IMAGE = 'localhost/edge/before:1';

/** A node of the Go agent is taken over, works, and could be handed back. */
describe('adoption', () => {
  let containerd: Containerd;
  let runtime: CriRuntime;
  let scene: Scene;
  let story: string;
  const made = new Map<string, GoPod & { readonly cgroups: readonly string[] }>();

  const at = (...path: string[]): string => join(scene.folder, 'node', 'agent', ...path);
  const until = (fits: () => boolean | Promise<boolean>, text: string, ms = 30_000): Promise<void> => eventually(fits, ms, () => `${text}; agent's log ends:\n${scene.agent.log.slice(-3000)}`);
  const statusOf = (pod: string, container = 'main'): ContainerStatus | undefined => scene.pod(pod)?.status?.containerStatuses?.find(({ name }) => name === container);
  const idOf = (pod: string, container?: string): string => statusOf(pod, container)?.containerID?.replace('containerd://', '') ?? '';
  const create = async (pod: Pod): Promise<Pod> => (await scene.cloud.api.resource('v1', 'pods').create(pod as never)) as unknown as Pod;

  const cgroupOf = async (id: string): Promise<string> => {
    const pid = new RegExp(`^${id}\\s+(\\d+)`, 'm').exec(await containerd.ctr('tasks', 'ls'))?.[1];
    return pid === undefined ? '' : readFileSync(`/proc/${pid}/cgroup`, 'utf8');
  };

  /** @param runs of its containers in the order of their starts */
  async function goRuns(pod: Pod, runs: (main: Pod['spec']['containers'][number]) => GoRun[]): Promise<void> {
    const [main] = pod.spec.containers;
    const left = await startAsGoAgent({ runtime, root: at('kubelet'), podLogsDir: at('pod-logs'), cgroupRoot: containerd.cgroupRoot }, pod, main ? runs(main) : []);
    made.set(pod.metadata.name ?? '', { ...left, cgroups: await Promise.all([left.sandbox, ...left.containers].map(cgroupOf)) });
  }

  beforeAll(async () => {
    containerd = await startContainerd();
    runtime = await createCriRuntime({ endpoint: containerd.socket });
    scene = await openScene({ containerd });
    story = join(scene.folder, 'story');
    mkdirSync(story);
    await scene.ready(0, 30_000);
    await scene.agent.kill();

    await goRuns(await create(podOn(NODE, 'web', ALIVE)), (main) => [
      { container: { ...main, command: ['sh', '-c', 'exit 3'] }, attempt: 1, ended: true },
      { container: main, attempt: 2 },
    ]);
    await goRuns(await create(podOn(NODE, 'crash', 'echo why > /dev/termination-log; exit 7')), (main) => [{ container: main, attempt: 3, ended: true }]);
    const changed = podOn(NODE, 'changed', ALIVE);
    changed.spec.containers.push({ ...changed.spec.containers[0], name: 'other' });
    await goRuns(await create(changed), (main) => [
      { container: main, attempt: 0 },
      { container: { ...main, name: 'other' }, attempt: 0, image: OLD_IMAGE },
    ]);
    const gone = podOn(NODE, 'gone', 'trap "sleep 1; echo ended >> /story/told; exit 0" TERM; while true; do sleep 0.1; done');
    gone.metadata.uid = '6f0b9e6a-0000-4000-8000-000000000001';
    gone.spec.terminationGracePeriodSeconds = 20;
    const lifecycle = { preStop: { exec: { command: ['sh', '-c', 'echo hooked >> /story/told'] } } };
    await goRuns(gone, (main) => [{ container: { ...main, lifecycle }, attempt: 0, folders: { '/story': story } }]);

    scene.agent.start();
    await until(() => ['web', 'changed'].every((name) => scene.pod(name)?.status?.phase === 'Running') && statusOf('crash') !== undefined, 'the pods are not taken over');
  }, 120_000);

  afterAll(async () => {
    await runtime?.[Symbol.asyncDispose]();
    await scene?.[Symbol.asyncDispose]();
    await containerd?.[Symbol.asyncDispose]();
  }, 60_000);

  it('[edged-60.10] a pod of the Go agent runs on: same containers and control groups, restarts counted on, its past told', async () => {
    const [before, now] = made.get('web')?.containers ?? [];
    expect(idOf('web')).toBe(now);
    const { startedAt } = await runtime.containerStatus(now ?? '');
    expect(statusOf('web')).toMatchObject({
      ready: true,
      restartCount: 2,
      state: { running: { startedAt: new Date(Math.floor(startedAt / 1000) * 1000).toISOString().replace('.000', '') } },
      lastState: { terminated: { exitCode: 3, containerID: `containerd://${before}` } },
    });
    const { sandbox = '', cgroups = [] } = made.get('web') ?? {};
    expect(scene.pod('web')?.status?.podIP).toBe((await runtime.podSandboxStatus(sandbox)).ips[0]);
    expect([await cgroupOf(sandbox), await cgroupOf(now ?? '')]).toEqual([cgroups[0], cgroups[2]]);
    expect(cgroups[2]).toContain(`${containerd.cgroupRoot}/kubepods/besteffort/pod${scene.pod('web')?.metadata.uid}/`);
  });

  it('[edged-60.11] a container that the Go agent let crash waits as long as its restarts ask for, and its last words are told', async () => {
    const uid = scene.pod('crash')?.metadata.uid ?? '';
    expect(statusOf('crash')).toMatchObject({
      restartCount: 3,
      state: { waiting: { reason: 'CrashLoopBackOff', message: `back-off 40s restarting failed container=main pod=crash_default(${uid})` } },
      lastState: { terminated: { exitCode: 7, message: 'why\n', containerID: `containerd://${made.get('crash')?.containers[0]}` } },
    });
  });

  it('[edged-60.12] of a pod whose image was changed meanwhile exactly that container is restarted', async () => {
    const [main, other] = made.get('changed')?.containers ?? [];
    await until(() => statusOf('changed', 'other')?.restartCount === 1 && statusOf('changed', 'other')?.ready === true, 'the container with the other image was not restarted');
    expect([idOf('changed'), statusOf('changed')?.restartCount]).toEqual([main, 0]);
    expect(idOf('changed', 'other')).not.toBe(other);
    const { metadata, annotations, logPath } = await runtime.containerStatus(idOf('changed', 'other'));
    expect([metadata.attempt, annotations['io.kubernetes.container.hash']]).toEqual([1, goHash('other', BUSYBOX_IMAGE)]);
    expect(logPath).toMatch(/\/other\/1\.log$/);
    expect([...(await running(containerd)).entries()].filter(([, pod]) => pod === 'changed').map(([id]) => id).sort()).toEqual([made.get('changed')?.sandbox, main, idOf('changed', 'other')].sort());
  });

  it('[edged-60.13] a pod of the Go agent that the cloud does not have ends as its containers recorded: hook, signal, time to end', async () => {
    await until(async () => ![...(await running(containerd)).values()].includes('gone'), 'it does not end');
    expect(readFileSync(join(story, 'told'), 'utf8')).toBe('hooked\nended\n');
  });

  it('[edged-60.14] what this agent starts has every label, annotation, number and path that the Go agent looks for', async () => {
    const lifecycle = { preStop: { exec: { command: ['true'] } } };
    const ports = [{ name: 'http', containerPort: 80, protocol: 'TCP' as const }];
    const pod = podOn(NODE, 'ours', ALIVE);
    pod.metadata = { ...pod.metadata, labels: { app: 'ours' }, annotations: { note: 'kept' } };
    pod.spec.containers = [{ ...pod.spec.containers[0], name: 'main', lifecycle, ports }];
    const { metadata } = await create(pod);
    await until(() => scene.pod('ours')?.status?.phase === 'Running', 'a new pod does not run');
    const uid = metadata.uid ?? '';
    const identity = { 'io.kubernetes.pod.name': 'ours', 'io.kubernetes.pod.namespace': 'default', 'io.kubernetes.pod.uid': uid };
    const [sandbox] = await runtime.listPodSandboxes({ labels: { 'io.kubernetes.pod.uid': uid } });
    expect(sandbox).toMatchObject({ metadata: { name: 'ours', namespace: 'default', uid, attempt: 0 }, labels: { app: 'ours', ...identity } });
    expect(sandbox?.annotations).toMatchObject({ note: 'kept', 'kubernetes.io/config.source': 'api', 'kubernetes.io/config.seen': expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/) as string });
    const status = await runtime.containerStatus(idOf('ours'));
    expect(status.metadata).toEqual({ name: 'main', attempt: 0 });
    expect(status.labels).toEqual({ 'io.kubernetes.container.name': 'main', ...identity });
    const { 'io.kubernetes.container.preStopHandler': hook = '', 'io.kubernetes.container.ports': shown = '', ...annotations } = status.annotations;
    expect([JSON.parse(hook), JSON.parse(shown)]).toEqual([lifecycle.preStop, ports]);
    expect(annotations).toEqual({
      'io.kubernetes.container.hash': goHash('main', BUSYBOX_IMAGE),
      'io.kubernetes.container.restartCount': '0',
      'io.kubernetes.container.terminationMessagePath': '/dev/termination-log',
      'io.kubernetes.container.terminationMessagePolicy': 'File',
      'io.kubernetes.pod.terminationGracePeriod': '1',
    });
    expect(status.logPath).toBe(at('pod-logs', `default_ours_${uid}`, 'main', '0.log'));
    expect(status.mounts.find(({ containerPath }) => containerPath === '/dev/termination-log')?.hostPath).toMatch(new RegExp(`^${at('kubelet', 'pods', uid, 'containers', 'main')}/[0-9a-f]{8}$`));
    expect(status.mounts.find(({ containerPath }) => containerPath === '/etc/hosts')?.hostPath).toBe(at('kubelet', 'pods', uid, 'etc-hosts'));
    expect(await cgroupOf(status.id)).toContain(`${containerd.cgroupRoot}/kubepods/besteffort/pod${uid}/${status.id}`);
  });

  it('[edged-60.15] the agent killed and its database lost: all pods are taken over once more, none is started anew', async () => {
    const names = ['web', 'changed', 'ours'];
    const before = [...(await running(containerd)).keys()].sort();
    await scene.agent.kill();
    for (const file of readdirSync(at()).filter((name) => name.startsWith('edgecore.db'))) rmSync(at(file));
    const lost = Date.now();
    scene.agent.start();
    await scene.ready(lost, 30_000);
    // A change that only an agent which has taken the pod over can make.
    await scene.cloud.api.resource('v1', 'pods').delete('ours', 'default');
    await until(() => scene.pod('ours') === undefined, 'a pod that was taken over does not end');
    const after = [...(await running(containerd)).keys()];
    expect(before.filter((id) => !after.includes(id)).length).toBe(2);
    expect(after.filter((id) => !before.includes(id))).toEqual([]);
    expect(names.slice(0, 2).map((name) => [scene.pod(name)?.status?.phase, statusOf(name)?.restartCount])).toEqual([
      ['Running', 2],
      ['Running', 0],
    ]);
  });
});
