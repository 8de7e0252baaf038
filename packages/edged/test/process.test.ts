import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCell, silentLogger, type LinkStatus } from '@edge/core';
import type { Pod } from '@edge/protocol';
import { ownLoopback, runModule, testIdentity, type RunningModule } from '@edge/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createProcessRuntime, openConfiguredRuntime } from '../src/index.js';
import { NODE, pod, PlayedCloud, withLink } from './scene.js';

let root: string;
let cloud: PlayedCloud;
let agent: RunningModule;

const start = async (): Promise<RunningModule> =>
  (agent = await runModule(withLink(openConfiguredRuntime, createCell<LinkStatus>({ connected: true, session: 1, since: 0 })), {
    config: { modules: { edged: { rootDirectory: root, tailoredKubeletConfig: { podLogsDir: join(root, 'logs'), staticPodPath: join(root, 'manifests'), address: ownLoopback() } } }, edge: { runtime: 'process' } },
    identity: testIdentity(NODE, ['192.0.2.10']),
    neighbours: (bus) => cloud.join(bus),
  }));

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'edged-process-'));
  cloud = new PlayedCloud();
});

afterEach(async () => {
  await agent.stop();
  // Whatever a failed test has left running.
  const runtime = await createProcessRuntime({ root: join(root, 'process-runtime'), hostIP: '192.0.2.10', log: silentLogger });
  for (const { id } of await runtime.listPodSandboxes()) await runtime.removePodSandbox(id);
  await runtime[Symbol.asyncDispose]();
  await rm(root, { recursive: true, force: true });
});

function shell(script: string, more: Partial<Pod['spec']['containers'][number]> = {}): Pod['spec']['containers'] {
  return [{ name: 'c', image: 'busybox', command: ['/bin/sh', '-c', script], ...more }];
}
const status = (name: string): Pod['status'] => cloud.pods.get(`default/${name}`)?.status;
const log = (name: string, attempt = 0): Promise<string> => readFile(join(root, 'logs', `default_${name}_uid-${name}`, 'c', `${attempt}.log`), 'utf8').catch(() => '');

describe('pods as real processes', () => {
  it('[edged-4.1] gives a process its environment and its files, and follows a pushed change of the files', async () => {
    await start();
    await cloud.pushObject('configmap', { metadata: { namespace: 'default', name: 'cm' }, data: { greeting: 'hello' } } as never, 'insert');
    await cloud.pushObject('secret', { metadata: { namespace: 'default', name: 'sec' }, data: { key: Buffer.from('s3cret').toString('base64') } } as never, 'insert');
    const script = 'echo "$WHO $KEY $NODE"; last=; while :; do now=$(cat "$EDGE_ROOT/etc/cm/greeting"); [ "$now" = "$last" ] || echo "file $now"; last=$now; sleep 0.1; done';
    await cloud.push(
      pod('web', {
        volumes: [{ name: 'cm', configMap: { name: 'cm' } }],
        containers: shell(script, {
          volumeMounts: [{ name: 'cm', mountPath: '/etc/cm' }],
          env: [
            { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
            { name: 'KEY', valueFrom: { secretKeyRef: { name: 'sec', key: 'key' } } },
            { name: 'WHO', value: 'on-$(NODE)' },
          ],
        }),
      }),
      'insert',
    );
    await cloud.until('Running', () => status('web')?.phase === 'Running');
    expect(status('web')).toMatchObject({ podIP: '192.0.2.10', containerStatuses: [{ containerID: expect.stringMatching(/^process:\/\//) }] });
    await expect.poll(() => log('web')).toContain(`on-${NODE} s3cret ${NODE}`);
    await expect.poll(() => log('web')).toContain('file hello');
    await cloud.pushObject('configmap', { metadata: { namespace: 'default', name: 'cm' }, data: { greeting: 'good evening' } } as never);
    await expect.poll(() => log('web')).toContain('file good evening');
  });

  it('[edged-24.43] last words reach the status, from the file below EDGE_ROOT or from the log', async () => {
    await start();
    await cloud.push(pod('words', { restartPolicy: 'Never', containers: shell('echo -n "mine is the last" > "$EDGE_ROOT/dev/termination-log"; exit 4') }), 'insert');
    await cloud.push(pod('log', { restartPolicy: 'Never', containers: shell('echo oh no; exit 4', { terminationMessagePolicy: 'FallbackToLogsOnError' }) }), 'insert');
    await cloud.until('both have ended', () => status('words')?.phase === 'Failed' && status('log')?.phase === 'Failed');
    const words = (name: string): string | undefined => status(name)?.containerStatuses?.[0]?.state.terminated?.message;
    expect([words('words'), words('log')]).toEqual(['mine is the last', 'oh no\n']);
  });

  it('[edged-4.2] a restarted agent finds its processes running and reports how they end', async () => {
    await start();
    await cloud.push(pod('job', { restartPolicy: 'Never', containers: shell('echo $$$$; sleep 1.5; exit 7') }), 'insert');
    await cloud.until('Running', () => status('job')?.phase === 'Running');
    const id = status('job')?.containerStatuses?.[0]?.containerID;
    await agent.stop();
    await start();
    await cloud.until('Failed', () => status('job')?.phase === 'Failed');
    expect(status('job')?.containerStatuses?.[0]).toMatchObject({ containerID: id, restartCount: 0, state: { terminated: { exitCode: 7, reason: 'Error' } } });
    expect((await log('job')).trim().split('\n').length).toBe(1);
  });

  it('[edged-4.3] deleting a pod ends its process and removes its volumes; its log stays for a while', async () => {
    await start();
    await cloud.push(pod('web', { volumes: [{ name: 'tmp', emptyDir: {} }], containers: shell('trap "echo bye; exit 0" TERM; echo $$$$; while :; do sleep 0.05; done') }), 'insert');
    await expect.poll(() => log('web')).toMatch(/F \d+\n/);
    const pid = Number(/F (\d+)\n/.exec(await log('web'))?.[1]);
    await cloud.until('Running', () => status('web')?.phase === 'Running');
    await cloud.startDeletion(cloud.pods.get('default/web') as Pod, 10);
    await cloud.until('gone', () => !cloud.pods.has('default/web'));
    expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
    expect(cloud.patches(pod('web')).at(-1)).toMatchObject({ status: { phase: 'Succeeded' } });
    await expect.poll(() => readFile(join(root, 'pods', 'uid-web')).catch((error: { code: string }) => error.code)).toBe('ENOENT');
    // Its last words can still be read for a while.
    expect(await log('web')).toContain('bye');
  });

  it('[edged-4.4] a pod whose command does not exist says so and is retried with back-off', async () => {
    await start();
    await cloud.push(pod('typo', { containers: [{ name: 'c', image: 'i', command: ['/no/such/command'] }] }), 'insert');
    const state = () => status('typo')?.containerStatuses?.[0];
    await cloud.until('a reason', () => JSON.stringify(state() ?? {}).includes('no such') || JSON.stringify(state() ?? {}).includes('not found'));
  });

  it('[edged-20.58] are probed and have hooks as containers have', async () => {
    let up = false;
    const server = createServer((_request, response) => void response.writeHead(up ? 200 : 500).end()).listen(0, '127.0.0.1');
    try {
      await once(server, 'listening');
      await start();
      const tell = (word: string) => ({ exec: { command: ['/bin/sh', '-c', `echo ${word} >> ${root}/told`] } });
      const told = async (): Promise<string[]> => (await readFile(join(root, 'told'), 'utf8').catch(() => '')).split('\n').filter(Boolean);
      const every = { periodSeconds: 1, failureThreshold: 1 };
      const containers = shell(`touch ${root}/alive; trap "echo term >> ${root}/told; exit 0" TERM; while :; do sleep 0.1; done`, {
        readinessProbe: { httpGet: { host: '127.0.0.1', port: (server.address() as AddressInfo).port }, ...every },
        livenessProbe: { exec: { command: ['test', '-f', `${root}/alive`] }, ...every },
        lifecycle: { postStart: tell('hello'), preStop: tell('bye') },
      });
      await cloud.push(pod('web', { containers }), 'insert');
      await cloud.until('Running', () => status('web')?.phase === 'Running');
      expect(status('web')?.containerStatuses?.[0]?.ready).toBe(false);
      up = true;
      await cloud.until('ready', () => status('web')?.containerStatuses?.[0]?.ready);
      await rm(join(root, 'alive'));
      await cloud.until('restarted', () => status('web')?.containerStatuses?.[0]?.restartCount === 1 && status('web')?.containerStatuses?.[0]?.ready);
      expect(await told()).toEqual(['hello', 'bye', 'term', 'hello']);
    } finally {
      server.close();
    }
  });
});
