import { setTimeout as delay } from 'node:timers/promises';
import type { Pod } from '@edge/protocol';
import { BUSYBOX_IMAGE } from '@edge/testing';
import { expect, it } from 'vitest';
import { eventually } from '../support/agent.js';
import type { Cluster } from './cluster.js';
import { BUSYBOX_TWIN } from './images.js';
import { idle, shell } from './pod-handle.js';

/** Life of a pod: from its assignment to its end. */
export function podSpecs(cluster: () => Cluster): void {
  it('[conf-1.1] a pod reports the addresses of its node, its own and when it began', async () => {
    await using pod = await cluster().start({ containers: [idle()] });
    const { status } = await pod.running();
    const addresses = cluster().node.status?.addresses?.filter(({ type }) => type === 'InternalIP').map(({ address }) => address) ?? [];
    expect(addresses).toContain(status?.hostIP);
    expect(status?.hostIPs?.map(({ ip }) => ip)).toEqual(addresses);
    expect(status?.podIPs).toEqual([{ ip: status?.podIP }]);
    expect(status?.podIP).toMatch(/^10\.99\./);
    expect(Math.abs(Date.now() - Date.parse(status?.startTime ?? ''))).toBeLessThan(60_000);
  });

  it('[conf-1.2] a pod is seen to come, run, end by its own will within its grace, and go', async () => {
    const told = cluster().unique('told');
    await using pod = await cluster().start({
      terminationGracePeriodSeconds: 30,
      containers: [shell(`trap 'echo asked > /shared/${told}; exit 0' TERM; while true; do sleep 3600 & wait $!; done`, { volumeMounts: [{ name: 'shared', mountPath: '/shared' }] })],
      volumes: [{ name: 'shared', hostPath: { path: cluster().shared, type: 'DirectoryOrCreate' } }],
    });
    const seen: string[] = [];
    const watching = new AbortController();
    const watch = (async () => {
      for await (const { type, object } of cluster().resource<Pod>('v1', 'pods').watch({ namespace: 'default', fieldSelector: `metadata.name=${pod.name}`, signal: watching.signal })) {
        seen.push(`${type}${object.metadata.deletionTimestamp ? ' ending' : ''} ${object.status?.phase}`);
        if (type === 'DELETED') return;
      }
    })();
    await pod.running();
    // Were the time to end used up, this test would be over before.
    await pod.remove(280);
    await pod.gone();
    await Promise.race([watch, delay(30_000, undefined, { ref: false })]);
    watching.abort();
    expect(seen[0]).toBe('ADDED Pending');
    expect(seen).toContain('MODIFIED Running');
    expect(seen).toContain('MODIFIED ending Running');
    expect(seen.at(-1)).toMatch(/^DELETED ending/);
    await using reader = await cluster().run({ containers: [shell(`cat /shared/${told}`, { volumeMounts: [{ name: 'shared', mountPath: '/shared' }] })], volumes: [{ name: 'shared', hostPath: { path: cluster().shared } }] });
    expect(reader.output()).toBe('asked');
  });

  it('[conf-1.3] what does not listen is ended by force when its time is over', async () => {
    await using pod = await cluster().start({ containers: [shell('trap "" TERM; echo deaf; while true; do sleep 1; done')] });
    await pod.said('deaf');
    const ends: (number | undefined)[] = [];
    const began = Date.now();
    await pod.remove(3);
    await eventually(() => {
      const { now } = pod;
      if (now) ends.push(now.status?.containerStatuses?.[0]?.state.terminated?.exitCode);
      return now === undefined;
    }, 30_000, () => 'the pod is not gone');
    expect(Date.now() - began).toBeGreaterThan(2500);
    expect(ends.filter((code) => code !== undefined).every((code) => code === 137)).toBe(true);
  });

  it('[conf-1.4] new labels reach a running pod without disturbing it', async () => {
    await using pod = await cluster().start({ containers: [idle()] }, { labels: { time: 'one' } });
    const { containerID } = (await pod.running()).status?.containerStatuses?.[0] ?? {};
    await pod.change((copy) => void (copy.metadata.labels = { time: 'two' }));
    await delay(1500);
    expect(pod.now?.metadata.labels).toEqual({ time: 'two' });
    expect(pod.container()).toMatchObject({ containerID, restartCount: 0, state: { running: {} } });
  });

  it('[conf-1.5] a deadline that is set while the pod runs ends it', async () => {
    await using pod = await cluster().start({ restartPolicy: 'Always', containers: [idle()] });
    await pod.running();
    await pod.change((copy) => void (copy.spec.activeDeadlineSeconds = 4));
    const { status } = await pod.ended();
    expect(status).toMatchObject({ phase: 'Failed', reason: 'DeadlineExceeded' });
  });

  it('[conf-1.6] a container that keeps failing waits longer and longer, a new image starts at once, and its count never falls', async () => {
    await using pod = await cluster().start({ restartPolicy: 'Always', containers: [shell('echo run; exit 3')] });
    const counts: number[] = [];
    // The second wait is the first that leaves time to look.
    await pod.until('waiting', () => {
      counts.push(pod.container().restartCount);
      const { waiting } = pod.container().state;
      return waiting?.reason === 'CrashLoopBackOff' && waiting.message?.includes('back-off 20s') === true;
    });
    expect(pod.container()).toMatchObject({ ready: false, lastState: { terminated: { exitCode: 3, reason: 'Error' } } });
    const before = pod.container().restartCount;
    await delay(2000);
    expect(pod.container().restartCount).toBe(before);
    await pod.change((copy) => void (copy.spec.containers[0]!.image = BUSYBOX_TWIN));
    await pod.restarted(before + 1, 'main', 16_000);
    await pod.until('waiting again', () => {
      counts.push(pod.container().restartCount);
      return pod.container().state.waiting?.reason === 'CrashLoopBackOff';
    });
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    await pod.told('BackOff');
  });

  it('[conf-1.7] a pod with readiness gates is ready when its containers are and all gates are open', async () => {
    await using pod = await cluster().start({ containers: [idle()], readinessGates: [{ conditionType: 'edge.test/gate' }] });
    const gate = async (status: 'True' | 'False'): Promise<void> => {
      await cluster().resource<Pod>('v1', 'pods').modify(pod.name, pod.namespace, (copy) => {
        const others = copy.status?.conditions?.filter(({ type }) => type !== 'edge.test/gate') ?? [];
        copy.status = { ...copy.status, conditions: [...others, { type: 'edge.test/gate', status }] };
      }, { subresource: 'status' });
    };
    await pod.until('ready but for its gate', () => pod.condition('ContainersReady') === 'True');
    expect(pod.condition('Ready')).toBe('False');
    await gate('True');
    await pod.ready();
    await gate('False');
    await pod.until('not ready', () => pod.condition('Ready') === 'False');
    expect(pod.condition('edge.test/gate')).toBe('False');
  });

  it('[conf-1.8] the quality of service follows from requests and limits', async () => {
    const of = async (resources: object): Promise<string | undefined> => {
      await using pod = await cluster().run({ containers: [shell('true', { resources })] });
      return pod.now?.status?.qosClass;
    };
    const limits = { cpu: '100m', memory: '32Mi' };
    expect(await Promise.all([of({}), of({ limits }), of({ requests: { cpu: '10m' } })])).toEqual(['BestEffort', 'Guaranteed', 'Burstable']);
  });

  it('[conf-1.9] a pod that always fails can be removed, and another one of its name runs', async () => {
    await using pod = await cluster().start({ restartPolicy: 'Always', containers: [shell('exit 1')] });
    await pod.restarted(1);
    await pod.remove(30);
    await pod.gone();
    await using next = await cluster().run({ containers: [shell('echo fine')] }, { name: pod.name });
    await next.succeeded();
    expect(next.output()).toBe('fine');
  });

  it('[conf-1.10] a pod for another operating system is rejected', async () => {
    await using pod = await cluster().start({ os: { name: 'windows' }, containers: [idle()] });
    expect((await pod.ended()).status).toMatchObject({ phase: 'Failed', reason: 'PodOSNotSupported' });
  });

  it('[conf-1.11] a pod assigned by the scheduler runs with image and conditions as people know them', async () => {
    await using pod = await cluster().start({ nodeName: undefined as never, containers: [idle({ name: 'b' }), idle({ name: 'a' })] });
    const { status } = await pod.ready();
    expect(Object.fromEntries(status?.conditions?.map(({ type, status: is }) => [type, is]) ?? [])).toEqual({
      PodReadyToStartContainers: 'True', Initialized: 'True', Ready: 'True', ContainersReady: 'True', PodScheduled: 'True',
    });
    for (const one of status?.containerStatuses ?? []) {
      expect(one).toMatchObject({ image: BUSYBOX_IMAGE, ready: true, started: true, restartCount: 0 });
      expect(one.imageID).toMatch(/sha256:/);
      expect(one.containerID).toMatch(/^containerd:\/\/[0-9a-f]{64}$/);
    }
  });
}
