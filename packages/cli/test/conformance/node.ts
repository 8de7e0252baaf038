import { request as send } from 'node:http';
import { remoteCommand } from '@edge/testing';
import { expect, it } from 'vitest';
import { eventually } from '../support/agent.js';
import { NODE } from '../support/scene.js';
import type { Cluster } from './cluster.js';
import { idle, shell } from './pod-handle.js';

interface Lease {
  readonly metadata: object;
  readonly spec: { readonly holderIdentity: string; readonly leaseDurationSeconds: number; readonly renewTime: string };
}

/** The node itself, and pods by handlers of the runtime. */
export function nodeSpecs(cluster: () => Cluster): void {
  it('[conf-11.1] the node says what it is and keeps its lease', async () => {
    const { status } = cluster().node;
    const conditions = Object.fromEntries(status?.conditions?.map(({ type, status: is }) => [type, is]) ?? []);
    expect(conditions).toEqual({ MemoryPressure: 'False', DiskPressure: 'False', PIDPressure: 'False', Ready: 'True' });
    expect(status?.nodeInfo?.containerRuntimeVersion).toMatch(/^containerd:\/\/\d/);
    for (const name of ['cpu', 'memory', 'pods', 'ephemeral-storage']) expect(status?.allocatable?.[name]).toMatch(/^\d/);
    const lease = (): Lease | undefined => cluster().resource<Lease>('coordination.k8s.io/v1', 'leases').find(NODE, 'kube-node-lease');
    const first = lease()?.spec.renewTime;
    expect(lease()?.spec).toMatchObject({ holderIdentity: NODE, leaseDurationSeconds: 40 });
    await eventually(() => lease()?.spec.renewTime !== first, 30_000, () => 'the lease is not renewed');
  });

  it('[conf-11.3] what a container writes can be read from the node, as a whole, in part, and of the run before', async () => {
    await using pod = await cluster().start({ restartPolicy: 'Always', containers: [shell('echo out; sleep 0.3; echo err >&2; sleep 0.3; for n in 1 2 3; do echo line $n; done; [ -e /d/again ] && sleep 3600; touch /d/again; exit 1', { volumeMounts: [{ name: 'd', mountPath: '/d' }] })], volumes: [{ name: 'd', emptyDir: {} }] });
    await pod.restarted(1);
    await pod.until('running again', () => pod.container().state.running !== undefined);
    const logs = async (query = ''): Promise<string> => (await request(`${cluster().kubelet}/containerLogs/default/${pod.name}/main${query}`)).text;
    const all = 'out\nerr\nline 1\nline 2\nline 3\n';
    await eventually(async () => (await logs()) === all, 30_000, () => 'the log is not all there');
    expect(await logs('?previous=true')).toBe(all);
    expect(await logs('?tailLines=2')).toBe('line 2\nline 3\n');
    expect(await logs('?limitBytes=6')).toBe('out\ner');
    expect(await logs('?tailLines=1&timestamps=true')).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+(Z|\+\d\d:\d\d) line 3\n$/);
    expect((await request(`${cluster().kubelet}/containerLogs/default/no-such-pod/main`)).status).toBe(404);
  });

  it('[conf-11.4] commands run in a container over the node, with input, output, errors and exit code', async () => {
    await using pod = await cluster().start({ containers: [idle()] });
    await pod.ready();
    const exec = (command: readonly string[], flags: string, stdin?: string): ReturnType<typeof remoteCommand> =>
      remoteCommand(`${cluster().kubelet}/exec/default/${pod.name}/main?${command.map((word) => `command=${encodeURIComponent(word)}`).join('&')}&${flags}`, stdin);
    expect(await exec(['sh', '-c', 'echo remote; echo trouble >&2; exit 0'], 'output=1&error=1')).toEqual({ stdout: 'remote\n', stderr: 'trouble\n', status: 'Success' });
    expect((await exec(['head', '-n', '1'], 'input=1&output=1&error=1', 'typed\n')).stdout).toBe('typed\n');
    expect((await exec(['sh', '-c', 'exit 7'], 'output=1&error=1')).status).toContain('7');
    const ran = await request(`${cluster().kubelet}/run/default/${pod.name}/main?cmd=hostname`, 'POST');
    expect(ran).toEqual({ status: 200, text: `${pod.name}\n` });
  });

  it('[conf-11.5] the node lists its pods and measures them', async () => {
    await using pod = await cluster().start({ containers: [idle()] });
    await pod.ready();
    const { items } = JSON.parse((await request(`${cluster().kubelet}/pods`)).text) as { items: { metadata: { uid: string } }[] };
    expect(items.map(({ metadata }) => metadata.uid)).toContain(pod.uid);
    const measured = async (): Promise<boolean> => {
      const summary = JSON.parse((await request(`${cluster().kubelet}/stats/summary`)).text) as { node: { nodeName: string }; pods: { podRef: { uid: string }; containers?: { memory?: { workingSetBytes?: number } }[] }[] };
      expect(summary.node.nodeName).toBe(NODE);
      return (summary.pods.find(({ podRef }) => podRef.uid === pod.uid)?.containers?.[0]?.memory?.workingSetBytes ?? 0) > 0;
    };
    await eventually(measured, 20_000, () => 'the pod is not measured');
    expect((await request(`${cluster().kubelet}/healthz`)).text).toBe('ok');
  });

  it('[conf-11.2] a pod runs by the handler that its runtime class names, and not at all without one', async () => {
    await using pod = await cluster().run({ runtimeClassName: 'other', containers: [shell('echo here')] });
    await pod.succeeded();
    await using lost = await cluster().start({ runtimeClassName: 'no-such-class', containers: [idle()] });
    await lost.told('FailedCreatePodSandBox', 'no-such-class');
    expect(lost.container().state.running).toBeUndefined();
  });
}

function request(url: string, method = 'GET'): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    send(url, { method }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part)).on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    }).once('error', reject).end();
  });
}
