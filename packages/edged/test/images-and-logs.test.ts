import { readdir, readFile, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCell, silentLogger, type LinkStatus } from '@edge/core';
import { createCriRuntime, type CriRuntime } from '@edge/cri';
import type { Pod, Secret } from '@edge/protocol';
import { BUSYBOX_IMAGE, ownLoopback, PAUSE_IMAGE, runModule, startContainerd, startRegistry, testIdentity, unmountBelow, type Containerd, type Registry, type RunningModule } from '@edge/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openConfiguredRuntime } from '../src/index.js';
import { ImageCollector } from '../src/images/image-collector.js';
import { readContainerLog } from '../src/logs/read-container-log.js';
import { NODE, pod, PlayedCloud, withLink } from './scene.js';

const account = { username: 'edge', password: 'secret' };
const never = new AbortController().signal;
const cloud = new PlayedCloud();
let containerd: Containerd;
let registry: Registry;
let runtime: CriRuntime;
let root: string;
let agent: RunningModule;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'edged-real-'));
  const files = [{ path: 'etc/mine', content: 'mine' }];
  [containerd, registry] = await Promise.all([
    startContainerd({ images: [{ name: 'localhost/edge/unused:1', files: [{ path: 'unused', content: '' }] }, { name: 'localhost/edge/named:1', files: [{ path: 'named', content: '' }] }] }),
    startRegistry({ images: [{ name: 'team/app:1', files }], account }),
  ]);
  runtime = await createCriRuntime({ endpoint: containerd.socket, timeoutMs: 20_000 });
  agent = await start();
});

afterAll(async () => {
  await agent?.stop();
  await runtime?.[Symbol.asyncDispose]();
  await Promise.all([containerd?.[Symbol.asyncDispose](), registry?.[Symbol.asyncDispose]()]);
  await unmountBelow(root);
  await rm(root, { recursive: true, force: true });
});

function start(): Promise<RunningModule> {
  const kubelet = {
    podLogsDir: join(root, 'log/pods'),
    address: ownLoopback(),
    containerRuntimeEndpoint: `unix://${containerd.socket}`,
    imageServiceEndpoint: `unix://${containerd.socket}`,
    cgroupRoot: containerd.cgroupRoot,
    containerLogMaxSize: '64Ki',
    containerLogMaxFiles: 3,
    containerLogMonitorInterval: '100ms',
    nodeStatusMaxImages: -1,
  };
  return runModule(withLink(openConfiguredRuntime, createCell<LinkStatus>({ connected: true, session: 1, since: 0 })), {
    config: { modules: { edged: { rootDirectory: root, tailoredKubeletConfig: kubelet } }, edge: { runtime: 'cri' } },
    identity: testIdentity(NODE, ['192.0.2.10']),
    neighbours: (bus) => cloud.join(bus),
  });
}

const shell = (script: string, parts: Partial<Pod['spec']['containers'][number]> = {}) => [{ name: 'c', image: BUSYBOX_IMAGE, command: ['sh', '-c', script], ...parts }];
const statusOf = (name: string) => cloud.pods.get(`default/${name}`)?.status?.containerStatuses?.[0];
const until = (what: string, condition: () => unknown): Promise<void> => cloud.until(what, condition, 15_000);
const pullSecret = (user: string): Secret => ({
  metadata: { namespace: 'default', name: 'pull' },
  type: 'kubernetes.io/dockerconfigjson',
  data: { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths: { [registry.host]: { username: user, password: account.password } } })).toString('base64') },
});

describe('images from a registry', () => {
  it('[edged-23.20] a private image: wrong credentials wait and say so, the right secret lets the pod run at once', async () => {
    await cloud.pushObject('secret', pullSecret('nobody') as never);
    await cloud.push(pod('private', { imagePullSecrets: [{ name: 'pull' }], containers: shell('cat /etc/mine; sleep 1000', { image: `${registry.host}/team/app:1`, imagePullPolicy: 'Always' }) }), 'insert');
    await until('the pull fails', () => statusOf('private')?.state.waiting?.reason === 'ErrImagePull');
    expect(statusOf('private')?.state.waiting?.message).toMatch(/401|[Uu]nauthorized|authorization/);
    await until('it has to wait', () => statusOf('private')?.state.waiting?.reason === 'ImagePullBackOff');
    expect(registry.pulls).toHaveLength(0);
    await cloud.pushObject('secret', pullSecret('edge') as never);
    await until('it runs', () => statusOf('private')?.state.running);
    expect(statusOf('private')?.imageID).toMatch(/@sha256:/);
    await cloud.startDeletion(pod('private'), 0);
    await until('it is gone', () => !cloud.pods.has('default/private'));
  });

  it('[edged-23.21] credentials of the node serve pods without a secret', async () => {
    await runtime.removeImage(`${registry.host}/team/app:1`);
    await writeFile(join(root, 'config.json'), JSON.stringify({ auths: { [`http://${registry.host}/v2/`]: { auth: Buffer.from('edge:secret').toString('base64') } } }));
    await cloud.push(pod('plain', { restartPolicy: 'Never', containers: shell('cat /etc/mine > /dev/termination-log', { image: `${registry.host}/team/app:1` }) }), 'insert');
    await until('it has ended', () => statusOf('plain')?.state.terminated);
    expect(statusOf('plain')?.state.terminated?.message).toBe('mine');
  });

  it('[edged-23.22] the status of the node lists the images when configured so', async () => {
    await until('busybox is listed', () => JSON.stringify(cloud.node?.status?.images)?.includes(BUSYBOX_IMAGE));
  });

  it('[edged-23.39] what nothing needs is removed from the runtime, what a container or a pod of the node needs stays, and the sandbox image', async () => {
    const collector = new ImageCollector({
      runtime,
      rules: { highPercent: 85, lowPercent: 80, minAgeMs: 0, maxAgeMs: 0 },
      sandboxImage: 'kubeedge/pause:3.6',
      pods: () => [pod('named', { containers: [{ name: 'c', image: 'localhost/edge/named:1' }, { name: 'd', image: BUSYBOX_IMAGE }] })],
      connected: () => true,
      log: silentLogger,
    });
    expect(await collector.removeUnused(never)).toBeGreaterThan(0);
    const left = async (): Promise<string[]> => (await runtime.listImages()).flatMap(({ tags }) => tags).filter((tag) => tag.startsWith('localhost/edge/')).sort();
    await expect.poll(left).toEqual([BUSYBOX_IMAGE, 'localhost/edge/named:1', PAUSE_IMAGE]);
    expect(await runtime.imageStatus(`${registry.host}/team/app:1`), 'its container has ended, and is still there').toBeDefined();
    await collector.collect(never);
  });
});

describe('what containers leave behind', () => {
  it('[edged-24.40] last words: of any user, at any path, from the log when there are none; also after a restart of the agent', async () => {
    const words = (name: string, script: string, parts: object = {}, spec: object = {}): Promise<void> =>
      cloud.push(pod(name, { restartPolicy: 'Never', containers: shell(script, parts), ...spec }), 'insert');
    await Promise.all([
      words('user', 'echo -n mine > /tmp/last', { terminationMessagePath: '/tmp/last', securityContext: { runAsUser: 1000 } }),
      words('log', 'echo out; echo err >&2; exit 3', { terminationMessagePolicy: 'FallbackToLogsOnError' }),
      words('fine', 'echo nothing to complain about', { terminationMessagePolicy: 'FallbackToLogsOnError' }),
      words('big', 'head -c 5000 /dev/zero | tr "\\0" x > /dev/termination-log; exit 1'),
    ]);
    const message = (name: string) => statusOf(name)?.state.terminated?.message;
    await until('all have ended', () => ['user', 'log', 'fine', 'big'].every((name) => statusOf(name)?.state.terminated));
    expect([message('user'), message('fine'), message('big')?.length]).toEqual(['mine', undefined, 4096]);
    expect(message('log')?.split('\n').sort()).toEqual(['', 'err', 'out']);
    await until('all is told', () => cloud.pods.get('default/user')?.status?.conditions?.some(({ type, status }) => type === 'PodReadyToStartContainers' && status === 'False'));
    const told = cloud.patches(pod('user')).length;
    await agent.stop();
    cloud.put(pod('while-away', { restartPolicy: 'Never', containers: shell('exit 0') }));
    agent = await start();
    await until('the new agent works', () => statusOf('while-away')?.state.terminated);
    expect(message('user')).toBe('mine');
    expect(cloud.patches(pod('user')).slice(told), 'nothing new to tell').toEqual([]);
  });

  it('[edged-24.41] a container that talks much: its log stays small, a follower misses nothing, and the links of collectors lead to it', async () => {
    const lines = 6_000;
    // It talks when somebody listens: what was rotated away before that, no follower shows.
    const script = `echo ready; while [ ! -e /go ]; do sleep 0.1; done; i=0; while [ $i -lt ${lines} ]; do i=$((i+1)); echo "line $i of many, long enough to fill some files"; [ $((i%300)) = 0 ] && sleep 0.2; done; sleep 1`;
    await cloud.push(pod('talk', { uid: 'uid-talk', restartPolicy: 'Never', containers: shell(script) }), 'insert');
    const folder = join(root, 'log/pods/default_talk_uid-talk/c');
    const path = join(folder, '0.log');
    await expect.poll(() => stat(path).then(({ size }) => size, () => 0)).toBeGreaterThan(0);
    // The link comes a moment after the container's first words.
    const linked = (): Promise<string[]> => readdir(join(root, 'log/containers')).then((names) => names.filter((name) => name.startsWith('talk_default_c-')), () => []);
    await expect.poll(linked).toHaveLength(1);
    const links = await linked();
    expect(await readFile(join(root, 'log/containers', links[0] ?? ''), 'utf8')).toContain('ready');
    const [talking] = await runtime.listContainers({ labels: { 'io.kubernetes.pod.uid': 'uid-talk' } });
    const pieces: Uint8Array[] = [];
    for await (const piece of readContainerLog({ path, follow: true, isRunning: () => statusOf('talk')?.state.terminated === undefined })) {
      if (pieces.length === 0) await runtime.execSync(talking?.id ?? '', ['touch', '/go'], 20);
      pieces.push(piece);
    }
    const seen = Buffer.concat(pieces).toString().trimEnd().split('\n');
    expect([seen.length, seen[1], seen.at(-1)]).toEqual([lines + 1, 'line 1 of many, long enough to fill some files', `line ${lines} of many, long enough to fill some files`]);
    const files = (await readdir(folder)).sort();
    expect(files.length).toBeLessThanOrEqual(3);
    expect(files.filter((name) => name.endsWith('.gz')).length).toBeGreaterThan(0);
  });

  it('[edged-24.42] of a container that ends again and again one dead run stays, with its log and no others', async () => {
    await cloud.push(pod('crash', { uid: 'uid-crash', containers: shell('echo run; exit 1') }), 'insert');
    await until('its second run has ended', () => statusOf('crash')?.restartCount === 1 && statusOf('crash')?.state.waiting);
    // A third run at once: what is recorded makes it wait otherwise.
    const wait = async (): Promise<string[]> => (await readdir(join(root, 'log/pods/default_crash_uid-crash/c'))).sort();
    await expect.poll(wait).toEqual(['1.log']);
    const dead = await runtime.listContainers({ labels: { 'io.kubernetes.pod.uid': 'uid-crash' } });
    expect(dead).toHaveLength(1);
  });
});
