import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CloudLink, Core, CONTRACT_VERSIONS, createCell, NodeIdentity, provideValue, Store, type LinkStatus, type LocalBus, type ModuleDefinition } from '@edge/core';
import { edged } from '@edge/edged';
import { metamanager } from '@edge/metamanager';
import { metaserver } from '@edge/metaserver';
import { createMessage } from '@edge/protocol';
import { openStore } from '@edge/store';
import { BUSYBOX_IMAGE, collectingDeadLetters, collectingLogger, createTestBus, eventually as poll, ownLoopback, startContainerd, testGates, testIdentity, unmountBelow, type Containerd } from '@edge/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const KUBECTL = process.env['KUBECTL'] ?? 'kubectl';
const NODE = 'edge-1';
/** Waits until `look` finds something. */
const eventually = <T>(look: () => T | undefined | Promise<T | undefined>, what: string): Promise<T> => poll<T>(async () => look(), what);

/** edged on containerd, metamanager and metaserver over a real database; there is no cloud at all but for one pod that it once sent. */
describe('kubectl at the node\'s own API, without the cloud', () => {
  let folder: string;
  let containerd: Containerd;
  let server: string;
  let close: () => Promise<void>;
  const started: ChildProcess[] = [];

  const arguments_ = (args: readonly string[]): string[] => ['--server', `http://${server}`, ...args];
  const options = () => ({ env: { PATH: process.env['PATH'] ?? '', HOME: folder, KUBECONFIG: '/dev/null' }, timeout: 150_000 });
  const kubectl = async (...args: string[]): Promise<string> => (await run(KUBECTL, arguments_(args), options())).stdout;
  const fails = (...args: string[]): Promise<string> => kubectl(...args).then(() => 'no failure', (error: { stderr: string }) => error.stderr);
  /** A kubectl that goes on; `said` has what it wrote so far. */
  const begin = (...args: string[]): { child: ChildProcess; said: () => string; ended: Promise<number | null> } => {
    const child = spawn(KUBECTL, arguments_(args), { ...options(), stdio: ['pipe', 'pipe', 'pipe'] });
    started.push(child);
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (piece: Buffer) => (text += piece.toString()));
    child.stdin?.on('error', () => undefined);
    return { child, said: () => text, ended: new Promise((resolve) => child.once('close', (code) => resolve(code))) };
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'local-api-'));
    containerd = await startContainerd();
    const log = collectingLogger();
    const store = await openStore({ path: join(folder, 'node.db'), log });
    const link = createCell<LinkStatus>({ connected: false, session: 0, since: 0 });
    const core = new Core({
      config: {
        modules: {
          metaManager: { metaServer: { enable: true, server: '127.0.0.1:0' } },
          edged: {
            rootDirectory: join(folder, 'root'),
            tailoredKubeletConfig: {
              address: ownLoopback(), podLogsDir: join(folder, 'logs'), cgroupRoot: containerd.cgroupRoot, staticPodPath: '', containerRuntimeEndpoint: `unix://${containerd.socket}`,
            },
          },
        },
        edge: { runtime: 'cri', kubeletApi: { auth: 'token', tokenFile: join(folder, 'kubelet.token') } },
      },
      log, gates: testGates(), deadLetters: collectingDeadLetters(), contract: CONTRACT_VERSIONS, readyTimeoutMs: 90_000,
      platform: (bind) => {
        bind(Store).toConstantValue(store);
        bind(NodeIdentity).toConstantValue(testIdentity(NODE, ['127.0.0.1']));
      },
    });
    const linked = (module: ModuleDefinition): ModuleDefinition => ({ ...module, bindings: (bind) => { module.bindings(bind); provideValue(bind, CloudLink, link); } });
    for (const module of [metamanager, edged, metaserver]) core.register(linked(module as unknown as ModuleDefinition));
    createTestBus(core.bus as LocalBus).play('websocket', 'hub', () => undefined);
    const end = new AbortController();
    const life = core.run(end.signal);
    close = async () => {
      end.abort();
      await life;
      await store[Symbol.asyncDispose]();
    };
    const line = await eventually(() => log.lines.find(({ message }) => message === 'the local API listens'), 'the local API to listen');
    server = String(line.fields['address']);
    await core.bus.send({ group: 'meta' }, createMessage({ source: 'edgecontroller', group: 'resource', operation: 'insert', resource: 'default/pod/web', content: webPod() }));
    await eventually(async () => ((await kubectl('logs', 'web').catch(() => '')).includes('two') ? true : undefined), 'the pod to run');
  }, 300_000);

  afterAll(async () => {
    for (const child of started) child.kill('SIGKILL');
    await close?.();
    await containerd?.[Symbol.asyncDispose]();
    if (folder) {
      await unmountBelow(folder);
      await rm(folder, { recursive: true, force: true });
    }
  }, 120_000);

  it('[local-api-2.1] reads logs with every option, follows them as they grow, and says what it cannot read', async () => {
    expect(await kubectl('logs', 'web')).toBe('one\ntwo\n');
    expect(await kubectl('logs', 'web', '-c', 'main', '--tail=1')).toBe('two\n');
    expect(await kubectl('logs', 'web', '--limit-bytes=5')).toBe('one\nt');
    expect(await kubectl('logs', 'web', '--timestamps', '--since=1h')).toMatch(/^\d{4}-\d\d-\d\dT\S+ one\n\d{4}-\d\d-\d\dT\S+ two\n$/);
    expect(await kubectl('logs', 'web', '--since-time=2100-01-01T00:00:00Z')).toBe('');
    expect(await fails('logs', 'web', '--previous')).toContain('Error from server (BadRequest): previous terminated container "main" in pod "web" not found');
    expect(await fails('logs', 'web', '-c', 'none')).toContain('container none is not valid for pod web');
    expect(await fails('logs', 'nothing')).toContain('pods "nothing" not found');

    const followed = begin('logs', '-f', 'web');
    await eventually(() => (followed.said().includes('two') ? true : undefined), 'what is there already');
    await kubectl('exec', 'web', '--', 'sh', '-c', 'echo three > /proc/1/fd/1');
    await eventually(() => (followed.said().includes('one\ntwo\nthree\n') ? true : undefined), 'what came');
    followed.child.kill();
    await followed.ended;
  });

  it('[local-api-2.2] runs commands with input, a terminal and exit codes, in the container that is meant', async () => {
    const typed = begin('exec', '-i', 'web', '--', 'sh', '-c', 'read word; echo "got $word"; echo bad >&2; exit 3');
    typed.child.stdin?.end('edge\n');
    expect(await typed.ended).toBe(3);
    expect(typed.said()).toContain('got edge\n');
    expect(typed.said()).toContain('bad\n');
    // kubectl wants a terminal of its own for -t, and script gives it one.
    const line = [KUBECTL, ...arguments_(['exec', '-it', 'web', '--', 'tty'])].join(' ');
    expect((await run('script', ['-qec', line, '/dev/null'], options())).stdout).toMatch(/\/dev\/pts\/\d/);
    expect(await kubectl('exec', 'web', '-c', 'side', '--', 'cat', '/etc/name')).toBe('side\n');
    expect(await kubectl('exec', 'web', '--', 'cat', '/etc/name')).toBe('main\n');
    expect(await fails('exec', 'web', '-c', 'none', '--', 'true')).toContain('container none is not valid for pod web');
  });

  it('[local-api-2.3] forwards ports, and copies files both ways unchanged', async () => {
    // Nobody in the cloud has heard of it: the status is the node's own.
    expect(await kubectl('get', 'pods')).toMatch(/web\s+2\/2\s+Running/);
    const forward = begin('port-forward', 'pod/web', ':8080');
    const line = await eventually(() => /Forwarding from 127\.0\.0\.1:(\d+)/.exec(forward.said()) ?? undefined, 'the forwarded port');
    const answer = await fetch(`http://127.0.0.1:${line[1]}/etc/name`);
    expect(await answer.text()).toBe('main\n');
    forward.child.kill();
    await forward.ended;

    const bytes = Buffer.alloc(300_000, 'edge \0\xff');
    await writeFile(join(folder, 'out'), bytes);
    await kubectl('cp', join(folder, 'out'), 'default/web:/tmp/there');
    await kubectl('cp', 'default/web:/tmp/there', join(folder, 'back'));
    expect((await readFile(join(folder, 'back'))).equals(bytes)).toBe(true);
  });

  it('[local-api-2.4] upstream\'s own client gets its forms: a log in JSON, a command\'s output in one answer, a restart', async () => {
    const keadm = (method: string, path: string, body?: string): Promise<Response> =>
      fetch(`http://${server}/api/v1/namespaces/default/pods/${path}`, { method, headers: { 'User-Agent': 'keadm/v1.23.1 (linux/amd64) kubernetes/0000000' }, ...(body === undefined ? {} : { body }) });
    expect(await (await keadm('GET', 'web/log?container=side')).json()).toEqual({ logMessages: ['beside "me"\n'] });
    const output = await keadm('POST', 'web/exec?command=sh&command=-c&command=' + encodeURIComponent('echo "a  b"; echo no >&2; exit 4'));
    expect([output.status, await output.json()]).toEqual([200, { runOutMessages: ['a  b\n'], runErrMessages: ['no\n'], errMessages: ['command terminated with exit code 4'] }]);

    const restarted = await keadm('POST', 'restart', '["web","nothing"]');
    expect([restarted.status, await restarted.json()]).toEqual([200, { LogMessages: [expect.stringContaining('default/web')], errMessages: [expect.stringContaining('default/nothing')] }]);
    await eventually(async () => ((await kubectl('logs', 'web', '--previous').catch(() => '')).startsWith('one\ntwo\n') ? true : undefined), 'the second run of the container');
    expect((await keadm('POST', 'restart', 'web')).status).toBe(500);
  });
});

function webPod(): object {
  const container = (name: string, script: string): object => ({ name, image: BUSYBOX_IMAGE, imagePullPolicy: 'Never', command: ['sh', '-c', `echo ${name} > /etc/name; ${script}`] });
  return {
    apiVersion: 'v1', kind: 'Pod',
    metadata: { name: 'web', namespace: 'default', uid: 'uid-web', resourceVersion: '7', creationTimestamp: '2026-01-01T00:00:00Z', annotations: { 'kubectl.kubernetes.io/default-container': 'main' } },
    spec: {
      nodeName: NODE, restartPolicy: 'Always', terminationGracePeriodSeconds: 1,
      containers: [container('main', 'echo one; echo two; exec httpd -f -p 8080 -h /'), container('side', 'echo "beside \\"me\\""; while true; do sleep 1; done')],
    },
  };
}
