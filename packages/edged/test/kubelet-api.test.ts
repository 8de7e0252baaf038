import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCell, silentLogger, type LinkStatus } from '@edge/core';
import { createMessage, type Message } from '@edge/protocol';
import { collectingLogger, freePort, ownLoopback, runModule, testIdentity, type RunningModule } from '@edge/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createProcessRuntime, openConfiguredRuntime } from '../src/index.js';
import { KubeletApi } from '../src/server/kubelet-api.js';
import { ask, begin } from './ask.js';
import { NODE, pod, PlayedCloud, withLink } from './scene.js';

const PORT = 10350;
let address: string;
let base: string;
let root: string;
let cloud: PlayedCloud;
let agent: RunningModule;

const start = async (kubelet: Record<string, unknown> = {}, edge: Record<string, unknown> = {}): Promise<RunningModule> => {
  agent = await runModule(withLink(openConfiguredRuntime, createCell<LinkStatus>({ connected: true, session: 1, since: 0 })), {
    config: {
      modules: { edged: { rootDirectory: root, tailoredKubeletConfig: { podLogsDir: join(root, 'logs', 'pods'), address, readOnlyPort: PORT, ...kubelet } } },
      edge: { runtime: 'process', ...edge },
    },
    identity: testIdentity(NODE, ['192.0.2.10']),
    neighbours: (bus) => cloud.join(bus),
  });
  return agent;
};
const listening = (): Promise<void> => expect.poll(() => ask(`${base}/healthz`).then(({ status }) => status, () => 0)).toBe(200);
const shell = (script: string): ReturnType<typeof pod>['spec']['containers'] => [{ name: 'c', image: 'busybox', command: ['/bin/sh', '-c', script] }];
const running = (name: string): Promise<void> => cloud.until(`${name} runs`, () => cloud.pods.get(`default/${name}`)?.status?.phase === 'Running');

beforeEach(async () => {
  address = ownLoopback();
  base = `http://${address}:${PORT}`;
  root = await mkdtemp(join(tmpdir(), 'edged-api-'));
  cloud = new PlayedCloud();
});

afterEach(async () => {
  await agent?.stop();
  const runtime = await createProcessRuntime({ root: join(root, 'process-runtime'), hostIP: '192.0.2.10', log: silentLogger });
  for (const { id } of await runtime.listPodSandboxes()) await runtime.removePodSandbox(id);
  await runtime[Symbol.asyncDispose]();
  await rm(root, { recursive: true, force: true });
});

describe('the local kubelet API', () => {
  it('[edged-29.1] lists pods with their statuses, what runs, the configuration and the health, and knows no other paths', async () => {
    await start();
    await listening();
    await cloud.push(pod('web', { containers: shell('sleep 1000') }), 'insert');
    await running('web');
    const list = JSON.parse((await ask(`${base}/pods`)).body) as { kind: string; items: { metadata: { name: string }; status: { phase: string } }[] };
    expect(list).toMatchObject({ kind: 'PodList', apiVersion: 'v1', items: [{ metadata: { name: 'web' }, status: { phase: 'Running' } }] });
    expect(JSON.parse((await ask(`${base}/runningpods/`)).body)).toMatchObject({ items: [{ metadata: { name: 'web', namespace: 'default', uid: 'uid-web' }, spec: { containers: [{ name: 'c' }] } }] });
    expect(JSON.parse((await ask(`${base}/configz`)).body)).toMatchObject({ kubeletconfig: { readOnlyPort: PORT } });
    expect((await ask(`${base}/healthz/ping`)).body).toBe('ok');
    expect((await ask(`${base}/healthz?verbose`)).body).toContain('[+]syncloop ok');
    const statuses = await Promise.all(['/nothing', '/healthz/nothing', '/debug/pprof/heap', '/logs/../../etc/passwd', '/%zz'].map(async (path) => (await ask(base, { path })).status));
    expect(statuses).toEqual([404, 404, 404, 404, 400]);
    expect((await ask(`${base}/pods`, { method: 'POST' })).status).toBe(405);
    expect((await ask(`${base}/checkpoint/default/web/c`, { method: 'POST' })).status).toBe(404);
  });

  it('[edged-29.2] serves logs with every option, also under a doubled slash, and follows until the container ends', async () => {
    await start();
    await listening();
    const go = join(root, 'go');
    const script = `echo one; echo two; echo three >&2; while [ ! -e ${go} ]; do sleep 0.05; done; echo four`;
    await cloud.push(pod('talk', { restartPolicy: 'Never', containers: shell(script) }), 'insert');
    await running('talk');
    const logs = (query: string): Promise<string> => ask(`${base}/containerLogs/default/talk/c?${query}`).then(({ body }) => body);
    await expect.poll(() => logs('')).toBe('one\ntwo\nthree\n');
    expect(await logs('tailLines=1')).toBe('three\n');
    expect(await logs('tail=2')).toBe('two\nthree\n');
    expect(await logs('tail=all&limitBytes=5')).toBe('one\nt');
    expect(await logs('stream=Stderr')).toBe('three\n');
    expect(await logs('timestamps=true&tailLines=1')).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+\S+ three\n$/);
    expect(await logs(`sinceTime=${new Date(Date.now() + 60_000).toISOString()}`)).toBe('');
    expect((await ask(base, { path: '//containerLogs/default/talk/c' })).body).toBe('one\ntwo\nthree\n');
    const followed = await begin(`${base}/containerLogs/default/talk/c?follow=true`);
    let seen = '';
    followed.on('data', (piece: Buffer) => (seen += piece.toString('utf8')));
    await expect.poll(() => seen).toBe('one\ntwo\nthree\n');
    await writeFile(go, '');
    await new Promise((resolve) => followed.once('end', resolve));
    expect(seen).toBe('one\ntwo\nthree\nfour\n');
  });

  it('[edged-29.3] says in the kubelet\'s words and codes why there is no log', async () => {
    await start();
    await listening();
    await cloud.push(pod('web', { containers: shell('sleep 1000') }), 'insert');
    await cloud.push(pod('bad', { containers: [{ name: 'c', image: 'i', command: ['x'], env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'none', key: 'k' } } }] }] }), 'insert');
    await running('web');
    await cloud.until('bad waits', () => cloud.pods.get('default/bad')?.status?.containerStatuses?.[0]?.state.waiting?.reason === 'CreateContainerConfigError');
    const logs = async (path: string): Promise<[number, string]> => {
      const { status, body } = await ask(`${base}/containerLogs/default/${path}`);
      return [status, body.trim()];
    };
    expect(await logs('none/c')).toEqual([404, 'pod "none" does not exist']);
    expect(await logs('web/d')).toEqual([404, 'container "d" not found in pod "web"']);
    expect(await logs('web/c?previous=true')).toEqual([400, 'previous terminated container "c" in pod "web" not found']);
    expect(await logs('bad/c')).toEqual([400, 'container "c" in pod "bad" is waiting to start: CreateContainerConfigError']);
    expect((await logs('web/c?tailLines=many'))[0]).toBe(400);
    expect((await logs('web/c?tailLines=-1'))[0]).toBe(422);
    expect((await logs('web/c?limitBytes=0'))[0]).toBe(422);
    expect((await logs('web/c?sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z'))[0]).toBe(422);
  });

  it('[edged-29.4] runs a command and gives its output; where pods run as plain processes it says what exec needs', async () => {
    await start();
    await listening();
    await cloud.push(pod('web', { containers: shell('sleep 1000') }), 'insert');
    await running('web');
    expect((await ask(`${base}/run/default/web/c?cmd=${encodeURIComponent('/bin/echo a b')}`, { method: 'POST' })).body).toBe('a b\n');
    expect((await ask(`${base}/run/default/web/uid-web/c?cmd=/bin/true`)).status).toBe(200);
    const failed = await ask(`${base}/run/default/web/c?cmd=${encodeURIComponent('/bin/ls /no/such/file')}`, { method: 'POST' });
    expect([failed.status, failed.body]).toEqual([500, expect.stringMatching(/^command terminated with exit code [12]\n.*no such file/is)]);
    expect((await ask(`${base}/run/default/web/another-uid/c?cmd=/bin/true`)).status).toBe(404);
    expect((await ask(`${base}/run/default/web/d?cmd=/bin/true`)).body.trim()).toBe('container not found ("d")');
    expect((await ask(`${base}/exec/default/web/c?command=ls`, { method: 'POST' })).status).toBe(400);
    const exec = await ask(`${base}/exec/default/web/c?command=ls&output=1`, { headers: { Connection: 'Upgrade', Upgrade: 'SPDY/3.1' }, method: 'POST' });
    expect([exec.status, exec.body]).toEqual([501, expect.stringContaining('need a container runtime')]);
  });

  it('[edged-29.5] with edge.kubeletApi.auth token only who shows the token gets in; the file is made for its owner alone', async () => {
    const tokenFile = join(root, 'secrets', 'api.token');
    await start({}, { kubeletApi: { auth: 'token', tokenFile } });
    await listening();
    expect((await stat(tokenFile)).mode & 0o777).toBe(0o600);
    const token = (await readFile(tokenFile, 'utf8')).trim();
    const status = async (headers: Record<string, string>, path = '/pods'): Promise<number> => (await ask(base + path, { headers })).status;
    expect(await status({})).toBe(401);
    expect(await status({ Authorization: 'Bearer wrong' })).toBe(401);
    expect(await status({}, '/healthzfoo')).toBe(401);
    expect(await status({ Connection: 'Upgrade', Upgrade: 'SPDY/3.1' }, '/exec/default/web/c?output=1&command=ls')).toBe(401);
    expect(await status({ Authorization: `Bearer ${token}` })).toBe(200);
    await agent.stop();
    await start({}, { kubeletApi: { auth: 'token', tokenFile } });
    await listening();
    expect(await status({ Authorization: `Bearer ${token}` })).toBe(200);
  });

  it('[edged-29.40] tells other modules where it is, on which loopback when it listens everywhere, and with which token', async () => {
    const endpoint = (): Promise<Message> => agent.bus.bus.request({ module: 'edged' }, createMessage({ source: 'metaserver', group: 'edged', operation: 'get', resource: 'kubelet/endpoint' }), { timeoutMs: 20_000 });
    await start();
    await listening();
    expect((await endpoint()).content).toEqual({ host: address, port: PORT });
    await agent.stop();
    await start({ readOnlyPort: 0 });
    expect((await endpoint()).content).toContain('modules.edged.tailoredKubeletConfig.readOnlyPort is 0');
    await agent.stop();

    const tokenFile = join(root, 'api.token');
    const end = new AbortController();
    const config = { address: '0.0.0.0', port: await freePort(), auth: 'token' as const, tokenFile, streamIdleMs: 1000 };
    const api = new KubeletApi({ config, routes: [], count: () => undefined, log: silentLogger });
    expect(() => api.endpoint).toThrow('is not served now');
    const life = api.run(end.signal);
    await expect.poll(() => {
      try {
        return api.endpoint;
      } catch {
        return undefined;
      }
    }, { timeout: 20_000 }).toEqual({ host: '127.0.0.1', port: config.port, token: expect.any(String) });
    expect(api.endpoint.token).toBe((await readFile(tokenFile, 'utf8')).trim());
    end.abort();
    await life;
    expect(() => api.endpoint).toThrow('is not served now');
  });

  it('[edged-29.6] a token file that others can read is refused, by its name and with the remedy', async () => {
    const tokenFile = join(root, 'api.token');
    await writeFile(tokenFile, 'a-token-that-is-long-enough\n', { mode: 0o644 });
    await start({}, { kubeletApi: { auth: 'token', tokenFile } });
    await expect.poll(() => agent.lines.find(({ level }) => level === 'error')?.fields['why']).toContain(`chmod 600 ${tokenFile}`);
    await expect(ask(`${base}/healthz`)).rejects.toThrow('ECONNREFUSED');
  });

  it('[edged-29.7] goes on without the API while its port is taken, names the key once, and serves as soon as the port is free', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(PORT, address, resolve));
    await start();
    await expect.poll(() => agent.lines.find(({ level }) => level === 'error')?.fields['why']).toContain('modules.edged.tailoredKubeletConfig.readOnlyPort');
    await cloud.push(pod('web', { containers: shell('sleep 1000') }), 'insert');
    await running('web');

    const log = collectingLogger();
    const end = new AbortController();
    const config = { address, port: PORT, auth: 'open' as const, tokenFile: '', streamIdleMs: 1000 };
    const api = new KubeletApi({ config, routes: [{ methods: ['GET'], path: '/healthz', handle: () => ({ body: 'ok' }) }], count: () => undefined, log, retryMs: 20 });
    const life = api.run(end.signal);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await new Promise((resolve) => other.close(resolve));
    await listening();
    expect(log.lines.map(({ level }) => level)).toEqual(['error', 'info']);
    end.abort();
    await life;
  });

  it('[edged-29.8] warns, by the name of the key, when the address is not a loopback one, and is silent with port 0', async () => {
    await start({ address: '0.0.0.0', readOnlyPort: 0 });
    expect(agent.lines.filter(({ level }) => level === 'warn')).toEqual([]);
    await agent.stop();
    const free = createServer();
    const port = await new Promise<number>((resolve) => free.listen(0, '0.0.0.0', () => resolve((free.address() as { port: number }).port)));
    await new Promise((resolve) => free.close(resolve));
    await start({ address: '0.0.0.0', readOnlyPort: port });
    await expect.poll(() => agent.lines.find(({ level }) => level === 'warn')?.message).toMatch(/tailoredKubeletConfig\.address.*edge\.kubeletApi\.auth/);
  });

  it('[edged-29.9] without debugging handlers only health, pods and metrics are served', async () => {
    await start({ enableDebuggingHandlers: false });
    await listening();
    for (const path of ['exec/default/web/c?output=1', 'run/default/web/c', 'containerLogs/default/web/c', 'runningpods/', 'logs/', 'debug/pprof/profile']) {
      expect([path, (await ask(`${base}/${path}`)).status]).toEqual([path, 405]);
    }
    expect((await ask(`${base}/pods`)).status).toBe(200);
    expect((await ask(`${base}/metrics`)).status).toBe(200);
  });

  it('[edged-29.10] serves files of the log directory and of the pods, and nothing that a link or a path leads to elsewhere', async () => {
    const { nodeLogs } = await import('../src/server/node-logs.js');
    const logs = join(root, 'var-log');
    await mkdir(join(logs, 'sub'), { recursive: true });
    await writeFile(join(logs, 'sub', 'a&b.log'), 'hello\n');
    await writeFile(join(root, 'secret'), 'secret');
    await symlink(join(root, 'secret'), join(logs, 'out'));
    await symlink(join(logs, 'sub', 'a&b.log'), join(logs, 'in'));
    const get = (path: string): Promise<unknown> =>
      Promise.resolve(nodeLogs([logs])({ method: 'GET', params: { path }, query: new URLSearchParams(), wantsUpgrade: false, raw: {} as never, signal: new AbortController().signal }));
    const bodyOf = async (path: string): Promise<string> => {
      const { body } = (await get(path)) as { body: string | AsyncIterable<Buffer> };
      if (typeof body === 'string') return body;
      let text = '';
      for await (const piece of body) text += piece.toString();
      return text;
    };
    expect(await bodyOf('in')).toBe('hello\n');
    expect(await bodyOf('sub')).toBe('<pre>\n<a href="a%26b.log">a&amp;b.log</a>\n</pre>\n');
    for (const path of ['out', '../secret', '../../../etc/passwd', 'none', 'in/below', 'nul\0l']) await expect(get(path), path).rejects.toMatchObject({ status: 404 });
  });

  it('[edged-29.49] figures of other modules stand among the agent\'s; of one that gives no figures there are none', async () => {
    const figures = [
      { name: 'edgecore_stream_sessions_total', help: 'Sessions', type: 'counter', samples: [{ labels: { kind: 'logs' }, value: 3 }] },
      { name: 'not a name', help: 'x', type: 'counter', samples: [] },
      { name: 'no_samples', help: 'x', type: 'counter' },
    ];
    let answer: unknown = 'nothing of use';
    await start();
    agent.bus.play('edgestream', 'edgestream', ({ route: { operation, resource } }) => (operation === 'get' && resource === 'metrics' ? answer : undefined));
    await listening();
    expect((await ask(`${base}/metrics`)).body).not.toContain('edgecore_stream');
    answer = figures;
    const { body } = await ask(`${base}/metrics`);
    expect(body).toMatch(/^edgecore_stream_sessions_total\{kind="logs"\} 3$/m);
    expect(body).not.toMatch(/not a name|no_samples/);
  });

  it('[edged-29.11] measures the node and its pods when asked, in the forms that metrics-server and Prometheus read', async () => {
    await start();
    await listening();
    await cloud.push(pod('web', { containers: shell('sleep 1000'), volumes: [{ name: 'scratch', emptyDir: {} }] }), 'insert');
    await running('web');
    const summary = JSON.parse((await ask(`${base}/stats/summary`)).body) as { node: Record<string, Record<string, number>>; pods: object[] };
    expect(summary.node).toMatchObject({ nodeName: NODE, cpu: { usageCoreNanoSeconds: expect.any(Number) }, fs: { capacityBytes: expect.any(Number) }, rlimit: {} });
    expect(summary.node['memory']?.['workingSetBytes']).toBeGreaterThan(10_000_000);
    expect(summary.pods).toMatchObject([{ podRef: { name: 'web', namespace: 'default', uid: 'uid-web' }, containers: [{ name: 'c' }], volume: [{ name: 'scratch', usedBytes: expect.any(Number) }] }]);
    const short = JSON.parse((await ask(`${base}/stats/summary?only_cpu_and_memory=true`, { method: 'POST' })).body) as { node: object };
    expect(Object.keys(short.node)).toEqual(['nodeName', 'systemContainers', 'startTime', 'cpu', 'memory', 'swap']);
    const metrics = (await ask(`${base}/metrics`)).body;
    expect(metrics).toMatch(/^kubelet_node_name\{node="edge-1"\} 1$/m);
    expect(metrics).toMatch(/^kubelet_running_pods 1$/m);
    expect(metrics).toMatch(/^kubelet_running_containers\{container_state="running"\} 1$/m);
    expect(metrics).toMatch(/^kubelet_runtime_operations_total\{operation_type="run_podsandbox"\} 1$/m);
    expect(metrics).toMatch(/^kubelet_http_requests_total\{long_running="false",method="GET",path="stats",server_type="readonly"\} 1$/m);
    expect(metrics).toMatch(/^process_resident_memory_bytes \d{7,}$/m);
    expect((await ask(`${base}/metrics/slis`)).body).toContain('kubernetes_healthcheck{name="syncloop",type="healthz"} 1');
    expect((await ask(`${base}/metrics/resource`)).body).toMatch(/^node_memory_working_set_bytes \d+ \d{13}$/m);
    expect((await ask(`${base}/metrics/cadvisor`)).body).toMatch(/^machine_memory_bytes \d+$/m);
  });

  it('[edged-29.12] takes a CPU profile of the agent', async () => {
    await start();
    await listening();
    const profile = JSON.parse((await ask(`${base}/debug/pprof/profile?seconds=0.2`)).body) as { nodes: unknown[] };
    expect(profile.nodes.length).toBeGreaterThan(1);
    expect((await ask(`${base}/debug/pprof/`)).body).toContain('profile');
  });
});
