import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createCell, type LinkStatus } from '@edge/core';
import type { ConfigMap, Pod } from '@edge/protocol';
import { BUSYBOX_IMAGE, mountsBelow, ownLoopback, runModule, startContainerd, testIdentity, type Containerd, type RunningModule } from '@edge/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openConfiguredRuntime } from '../src/index.js';
import { NODE, pod, PlayedCloud, withLink } from './scene.js';

let containerd: Containerd;
let cloud: PlayedCloud;
let agent: RunningModule;
let root: string;
let logs: string;

const start = async (): Promise<void> => {
  const tailored = { podLogsDir: logs, address: ownLoopback(), containerRuntimeEndpoint: containerd.socket, cgroupRoot: containerd.cgroupRoot };
  agent = await runModule(withLink(openConfiguredRuntime, createCell<LinkStatus>({ connected: true, session: 1, since: 0 })), {
    config: { modules: { edged: { rootDirectory: root, tailoredKubeletConfig: tailored } }, edge: { runtime: 'cri' } },
    identity: testIdentity(NODE, ['192.0.2.10']),
    neighbours: (bus) => cloud.join(bus),
  });
};

beforeAll(async () => {
  containerd = await startContainerd();
  root = join(containerd.folder, 'kubelet');
  logs = join(containerd.folder, 'pods');
  await mkdir(root);
  cloud = new PlayedCloud();
  await start();
});

afterAll(async () => {
  await agent.stop();
  await containerd[Symbol.asyncDispose]();
});

const status = (name: string): Pod['status'] => cloud.pods.get(`default/${name}`)?.status;
const log = (name: string, container: string, attempt = 0): Promise<string> =>
  readFile(join(logs, `default_${name}_uid-${name}`, container, `${attempt}.log`), 'utf8').catch(() => '');
/** The lines that a container has written, without the runtime's prefix. */
const lines = async (name: string, container: string, attempt = 0): Promise<string[]> =>
  (await log(name, container, attempt)).split('\n').flatMap((line) => (line === '' ? [] : line.split(' ').slice(3).join(' ')));
const said = async (name: string, container: string, line: string, attempt = 0): Promise<void> => {
  await expect.poll(() => lines(name, container, attempt), { timeout: 30_000, interval: 50 }).toContain(line);
};
const mounts = (name: string): string[] => [...mountsBelow(join(root, 'pods', `uid-${name}`))];
const container = (name: string, script: string, volumeMounts: Pod['spec']['containers'][number]['volumeMounts']): Pod['spec']['containers'][number] => ({
  name,
  image: BUSYBOX_IMAGE,
  imagePullPolicy: 'Never',
  command: ['/bin/sh', '-c', `trap 'exit 0' TERM; ${script}; while :; do sleep 0.1; done`],
  volumeMounts: volumeMounts ?? [],
});
const config = (data: ConfigMap['data']) => ({ metadata: { namespace: 'default', name: 'cm' }, data });

it('[edged-28.30] a pod on containerd: secrets and tokens in memory, objects read-only and followed, sub paths as at their start, all gone before the object goes', async () => {
  await cloud.pushObject('configmap', config({ a: 'one', b: 'gone soon' }), 'insert');
  const key = Buffer.from('s3cret').toString('base64');
  await cloud.pushObject('secret', { metadata: { namespace: 'default', name: 'sec' }, data: { key } } as never, 'insert');
  cloud.objects.set('default/serviceaccounttoken/default', { metadata: {}, spec: { audiences: ['edge'], expirationSeconds: 3600 }, status: { token: 'a.b.c', expirationTimestamp: new Date(Date.now() + 3.6e6).toISOString() } });
  const follow = 'while :; do now="$(ls /cm | tr "\\n" " ")$(cat /cm/a) $(cat /sub)"; [ "$now" = "$last" ] || echo "$now"; last=$now; [ -s /down/labels ] && l="$(cat /down/labels)" && [ "$l" != "$ll" ] && echo "$l" && ll=$l; sleep 0.1; done';
  const show = [
    'for d in /sec /tok /mem /down /disk /cm; do grep " $d " /proc/mounts | cut -d" " -f2,3; done',
    'cat /sec/key /tok/token; echo',
    'touch /cm/x /sec/x 2>/dev/null || echo read-only',
    'stat -c "%a %g" -L /sec/key /tok/token /mem /disk',
    'echo kept >> /disk/file; echo kept >> /mem/file',
  ].join(';');
  const all = ['sec', 'tok', 'mem', 'down', 'disk', 'cm'].map((name) => ({ name, mountPath: `/${name}` }));
  const web = pod('web', {
    labels: { app: 'web' },
    securityContext: { fsGroup: 4321 },
    volumes: [
      { name: 'sec', secret: { secretName: 'sec', defaultMode: 0o400 } },
      { name: 'tok', projected: { sources: [{ serviceAccountToken: { path: 'token', audience: 'edge', expirationSeconds: 3600 } }] } },
      { name: 'mem', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
      { name: 'down', downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
      { name: 'disk', emptyDir: {} },
      { name: 'cm', configMap: { name: 'cm' } },
    ],
    containers: [container('show', show, all), container('follow', follow, [...all, { name: 'cm', mountPath: '/sub', subPath: 'a' }])],
  });
  await cloud.push(web, 'insert');
  await cloud.until('Running', () => status('web')?.phase === 'Running');
  await said('web', 'follow', 'a b one one');
  const shown = await lines('web', 'show');
  for (const inMemory of ['/sec tmpfs', '/tok tmpfs', '/mem tmpfs', '/down tmpfs']) expect(shown).toContain(inMemory);
  for (const onDisk of ['/disk', '/cm']) expect(shown).not.toContain(`${onDisk} tmpfs`);
  expect(shown).toEqual(expect.arrayContaining(['s3creta.b.c', 'read-only', '440 4321', '640 4321', '3777 4321', '2777 4321']));
  expect(await lines('web', 'follow')).toContain('app="web"');

  await cloud.pushObject('configmap', config({ a: 'two' }));
  await said('web', 'follow', 'a two one');
  const current = cloud.pods.get('default/web') as Pod;
  await cloud.push({ ...current, metadata: { ...current.metadata, labels: { app: 'other' } } });
  await said('web', 'follow', 'app="other"');

  // The agent is away: what runs is not touched, and what changed meanwhile arrives after its return.
  const before = mounts('web').sort();
  await agent.stop();
  cloud.objects.set('default/configmap/cm', config({ a: 'three' }));
  await start();
  await said('web', 'follow', 'a three one');
  expect(mounts('web').sort()).toEqual(before);
  expect(status('web')?.containerStatuses?.map(({ restartCount }) => restartCount)).toEqual([0, 0]);

  const uid = join(root, 'pods/uid-web');
  let atDeletion: unknown;
  const wasDeleted = (): boolean => {
    if (cloud.sent('delete', 'default/pod/web').length === 0) return false;
    atDeletion ??= mounts('web');
    return true;
  };
  await cloud.startDeletion(web, 5);
  await cloud.until('the deletion', wasDeleted);
  expect(atDeletion).toEqual([]);
  await expect.poll(() => stat(uid).catch(() => 'gone')).toBe('gone');
}, 60_000);

it('[edged-28.31] what containers leave in an emptyDir is there for the next run, a finished pod gives its memory back, and one that never could start leaves nothing', async () => {
  const volumes: Pod['spec']['volumes'] = [{ name: 'mem', emptyDir: { medium: 'Memory' } }, { name: 'disk', emptyDir: {} }];
  const both = [{ name: 'mem', mountPath: '/mem' }, { name: 'disk', mountPath: '/disk', subPathExpr: '$(WHO)' }];
  const counts = { ...container('c', '', both), command: ['/bin/sh', '-c', 'echo x >> /mem/f; echo x >> /disk/f; wc -l < /mem/f; wc -l < /disk/f; exit $((2 - $(wc -l < /mem/f)))'], env: [{ name: 'WHO', value: 'me' }] };
  await cloud.push(pod('job', { restartPolicy: 'OnFailure', volumes, containers: [counts] }), 'insert');
  await cloud.until('Succeeded', () => status('job')?.phase === 'Succeeded', 20_000);
  expect(await lines('job', 'c', 1)).toEqual(['2', '2']);
  await expect.poll(() => mounts('job')).toEqual([]);

  const host = join(containerd.folder, 'host-file');
  await writeFile(host, 'x');
  const never = pod('never', {
    volumes: [{ name: 'h', hostPath: { path: host, type: 'Directory' } }, { name: 'mem', emptyDir: { medium: 'Memory' } }],
    containers: [container('c', '', [{ name: 'h', mountPath: '/h' }, { name: 'mem', mountPath: '/mem' }])],
  });
  await cloud.push(never, 'insert');
  await expect.poll(() => mounts('never').length).toBe(1);
  await cloud.startDeletion(never, 1);
  await cloud.until('the deletion', () => cloud.sent('delete', 'default/pod/never').length > 0);
  expect(mounts('never')).toEqual([]);
  await expect.poll(async () => (await readdir(join(root, 'pods'))).includes('uid-never')).toBe(false);
}, 60_000);
