import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCell, silentLogger, type LinkStatus } from '@edge/core';
import { createCriRuntime } from '@edge/cri';
import { BUSYBOX_IMAGE, ownLoopback, runModule, startContainerd, testIdentity, type Containerd, type RunningModule } from '@edge/testing';
import WebSocket from 'ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Statistics } from '../src/stats/statistics.js';
import { ask } from './ask.js';
import { Channels } from './channels.js';
import { NODE, pod, PlayedCloud, withLink } from './scene.js';

const address = ownLoopback();
const host = `${address}:10350`;
let containerd: Containerd;
let root: string;
let agent: RunningModule;
const cloud = new PlayedCloud();

const shell = (script: string): ReturnType<typeof pod>['spec']['containers'][number] => ({ name: 'c', image: BUSYBOX_IMAGE, imagePullPolicy: 'Never', command: ['/bin/sh', '-c', script] });
const exec = (query: string, ...command: string[]): string => `ws://${host}/exec/default/web/c?${query}${command.map((word) => `&command=${encodeURIComponent(word)}`).join('')}`;

beforeAll(async () => {
  containerd = await startContainerd();
  root = await mkdtemp(join(tmpdir(), 'edged-api-'));
  agent = await runModule(withLink(() => createCriRuntime({ endpoint: containerd.socket, timeoutMs: 30_000, log: silentLogger }), createCell<LinkStatus>({ connected: true, session: 1, since: 0 })), {
    config: { modules: { edged: { rootDirectory: root, tailoredKubeletConfig: { podLogsDir: join(root, 'logs', 'pods'), address, cgroupRoot: containerd.cgroupRoot } } } },
    identity: testIdentity(NODE, ['192.0.2.10']),
    neighbours: (bus) => cloud.join(bus),
  });
  const web = 'mkdir -p /www; echo hello from the pod > /www/index.html; exec httpd -f -p 8080 -h /www';
  await cloud.push(pod('web', { containers: [{ ...shell(web), resources: { limits: { memory: '64Mi', cpu: '500m' } } }], volumes: [{ name: 'scratch', emptyDir: {} }] }), 'insert');
  await cloud.push(pod('echo', { containers: [{ ...shell('while read line; do echo "got $line"; done'), stdin: true }] }), 'insert');
  await cloud.until('both run', () => ['web', 'echo'].every((name) => cloud.pods.get(`default/${name}`)?.status?.phase === 'Running'), 30_000);
}, 60_000);

afterAll(async () => {
  await agent?.stop();
  await containerd?.[Symbol.asyncDispose]();
  if (root) await rm(root, { recursive: true, force: true });
}, 60_000);

/** An upgrade request as kubectl makes it for SPDY; resolves with the connection after 101. */
function upgrade(path: string, headers: Record<string, string>): Promise<{ socket: Socket; headers: NodeJS.Dict<string | string[]> }> {
  return new Promise((resolve, reject) => {
    const asked = request(`http://${host}${path}`, { method: 'POST', headers: { Connection: 'Upgrade', ...headers, 'Content-Length': '0' }, agent: false });
    asked.on('upgrade', (response, socket) => resolve({ socket: socket as Socket, headers: response.headers }));
    asked.on('response', (response) => {
      response.resume();
      reject(new Error(`answered ${response.statusCode}`));
    });
    asked.on('error', reject);
    asked.end();
  });
}

describe('streams into containers on containerd', () => {
  it('[edged-29.20] exec gives both outputs and the exit code, takes input, and has a terminal with a size when asked', async () => {
    const script = 'read word; echo "out $word"; echo "err $word" >&2; exit 7';
    const plain = await new Channels(exec('input=1&output=1&error=1', 'sh', '-c', script)).opened();
    await plain.stdin('edge\n');
    await plain.closed;
    expect([plain.stdout.toString(), plain.stderr]).toEqual(['out edge\n', 'err edge\n']);
    expect(plain.status).toMatchObject({ status: 'Failure', details: { causes: [{ reason: 'ExitCode', message: '7' }] } });

    const terminal = await new Channels(exec('input=1&output=1&error=1&tty=1', 'sh', '-c', 'until stty size 2>/dev/null | grep "45 123"; do sleep 0.02; done; read x; tty')).opened();
    await terminal.resize(123, 45);
    await terminal.stdin('\n');
    await terminal.closed;
    expect(terminal.stdout.toString()).toContain('45 123');
    expect(terminal.stdout.toString()).toContain('/dev/pts/');
    expect(terminal.status).toMatchObject({ status: 'Success' });
  });

  it('[edged-29.21] passes 64 MiB in and out again unchanged, and a session that breaks harms no other', async () => {
    const size = 64 * 1024 * 1024;
    const other = await new Channels(exec('input=1&output=1', 'sh', '-c', 'while read line; do echo "again $line"; done')).opened();
    const broken = await new Channels(exec('output=1', 'sh', '-c', 'while :; do echo more; sleep 0.01; done')).opened();
    await expect.poll(() => broken.stdout.length).toBeGreaterThan(10);
    const big = await new Channels(exec('input=1&output=1', 'head', '-c', String(size))).opened();
    const sent = createHash('sha256');
    for (let at = 0; at < size; at += 256 * 1024) {
      const piece = randomBytes(256 * 1024);
      sent.update(piece);
      await big.stdin(piece);
      if (at === size / 2) broken.breakOff();
    }
    await big.closed;
    expect(big.stdout.length).toBe(size);
    expect(createHash('sha256').update(big.stdout).digest('hex')).toBe(sent.digest('hex'));
    await other.stdin('still here\n');
    await expect.poll(() => other.stdout.toString()).toBe('again still here\n');
    other.close();
    await other.closed;
  }, 60_000);

  it('[edged-29.22] attach reaches the main process, and its output is in the log as well, which is followed meanwhile', async () => {
    let followed = '';
    const log = request(`http://${host}/containerLogs/default/echo/c?follow=true`, { agent: false }, (response) => response.on('data', (piece: Buffer) => (followed += piece.toString())));
    log.on('error', () => undefined);
    log.end();
    const attached = await new Channels(`ws://${host}/attach/default/echo/c?input=1&output=1&error=1`).opened();
    await attached.stdin('one\n');
    await expect.poll(() => attached.stdout.toString()).toBe('got one\n');
    await expect.poll(() => followed).toBe('got one\n');
    attached.close();
    await attached.closed;
    log.destroy();
  });

  it('[edged-29.23] port-forward carries HTTP to a port of the pod, over WebSocket', async () => {
    const socket = new WebSocket(`ws://${host}/portForward/default/web/uid-web?port=8080`, ['v4.channel.k8s.io']);
    let answer = '';
    // Channel 0 is the data of the first port, and each channel begins with the number of its port.
    let first = true;
    socket.on('message', (data: Buffer) => {
      if (data[0] !== 0) return;
      if (first) first = false;
      else answer += data.subarray(1).toString();
    });
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    socket.send(Buffer.concat([Buffer.of(0), Buffer.from('GET / HTTP/1.0\r\n\r\n')]));
    await expect.poll(() => answer).toContain('hello from the pod');
    socket.terminate();
  });

  it('[edged-29.24] SPDY upgrades of kubectl reach 101 with the protocol that the runtime chose, and bytes pass', async () => {
    const wanted = { Upgrade: 'SPDY/3.1', 'X-Stream-Protocol-Version': 'v4.channel.k8s.io' };
    const { socket, headers } = await upgrade('/exec/default/web/c?command=cat&input=1&output=1', wanted);
    expect(headers).toMatchObject({ upgrade: 'SPDY/3.1', 'x-stream-protocol-version': 'v4.channel.k8s.io' });
    const received: Buffer[] = [];
    socket.on('data', (piece: Buffer) => received.push(piece));
    // A PING of SPDY/3 with an odd number comes back as it is.
    const ping = Buffer.from('800300060000000400000001', 'hex');
    socket.write(ping);
    await expect.poll(() => Buffer.concat(received).toString('hex')).toContain(ping.toString('hex'));
    socket.destroy();
    const forward = await upgrade('/portForward/default/web', { Upgrade: 'SPDY/3.1', 'X-Stream-Protocol-Version': 'portforward.k8s.io' });
    expect(forward.headers['x-stream-protocol-version']).toBe('portforward.k8s.io');
    forward.socket.destroy();
  });

  it('[edged-29.25] refuses what cannot be a stream, in the codes that clients know', async () => {
    const spdy = { Upgrade: 'SPDY/3.1', 'X-Stream-Protocol-Version': 'v4.channel.k8s.io' };
    await expect(upgrade('/exec/default/web/c?command=ls', spdy)).rejects.toThrow('answered 400');
    await expect(upgrade('/exec/default/none/c?command=ls&output=1', spdy)).rejects.toThrow('answered 404');
    await expect(upgrade('/exec/default/web/none?command=ls&output=1', spdy)).rejects.toThrow('answered 404');
    await expect(upgrade('/portForward/default/web/another-uid', spdy)).rejects.toThrow('answered 404');
    await expect(new Channels(`ws://${host}/portForward/default/web?port=0`).opened()).rejects.toThrow('answered 400');
    // The runtime's own refusal comes through: this protocol is too new for it.
    await expect(upgrade('/exec/default/web/c?command=ls&output=1', { Upgrade: 'SPDY/3.1', 'X-Stream-Protocol-Version': 'v9.channel.k8s.io' })).rejects.toThrow('answered 403');
    expect((await ask(`http://${host}/exec/default/web/c?command=ls&output=1`, { method: 'POST' })).status).toBe(400);
    expect((await ask(`http://${host}/pods`, { headers: { Connection: 'Upgrade', Upgrade: 'h2c' } })).status).toBe(200);
    // One that says nothing does not keep the others waiting.
    const silent = connect(10350, address);
    expect((await ask(`http://${host}/healthz`)).body).toBe('ok');
    silent.destroy();
  });

  it('[edged-29.26] the agent stops at once although streams are open', async () => {
    const open = await new Channels(exec('input=1&output=1', 'cat')).opened();
    await agent.stop();
    await open.closed;
    await expect(ask(`http://${host}/healthz`)).rejects.toThrow('ECONNREFUSED');
  });
});

describe('statistics on containerd', () => {
  it('[edged-30.40] come from the control groups, agree with the runtime, and see the pod\'s own network', async () => {
    await using runtime = await createCriRuntime({ endpoint: containerd.socket, timeoutMs: 30_000, log: silentLogger });
    const labels = { 'io.kubernetes.pod.name': 'measured', 'io.kubernetes.pod.namespace': 'default', 'io.kubernetes.pod.uid': 'uid-1-2' };
    const sandboxConfig = {
      metadata: { name: 'measured', namespace: 'default', uid: 'uid-1-2', attempt: 0 },
      logDirectory: join(root, 'logs', 'pods', 'default_measured_uid-1-2'),
      labels,
      annotations: {},
      linux: { cgroupParent: `${containerd.cgroupRoot}/kubepods/besteffort/poduid-1-2` },
    };
    const sandbox = await runtime.runPodSandbox(sandboxConfig);
    const config = {
      metadata: { name: 'c', attempt: 0 },
      image: BUSYBOX_IMAGE,
      userSpecifiedImage: BUSYBOX_IMAGE,
      command: ['/bin/sh', '-c', 'dd if=/dev/urandom of=/dev/shm/block bs=1M count=20 2>/dev/null; echo data > /layer; ping -c 3 -i 0.1 127.0.0.1; echo filled; exec sleep 1000'],
      args: [],
      env: [],
      mounts: [],
      labels: { ...labels, 'io.kubernetes.container.name': 'c' },
      annotations: {},
      logPath: 'c/0.log',
      linux: { resources: { memoryLimitBytes: 128 * 1024 * 1024 } },
    };
    const container = await runtime.createContainer(sandbox, config, sandboxConfig);
    await runtime.startContainer(container);
    const statistics = new Statistics({
      nodeName: NODE,
      runtime: () => runtime,
      pods: () => undefined,
      rootDirectory: root,
      podLogsDir: join(root, 'logs', 'pods'),
      volumeStatsMs: 60_000,
      cgroupRoot: containerd.cgroupRoot,
    });
    await expect.poll(() => readFile(join(sandboxConfig.logDirectory, 'c', '0.log'), 'utf8')).toContain('filled');
    const [told] = (await runtime.listContainerStats?.({ id: container })) ?? [];
    const { pods, node } = await statistics.sample('all');
    const measured = pods.find(({ uid }) => uid === 'uid-1-2');
    const [own] = measured?.containers ?? [];
    expect(own?.path).toBe(`${containerd.cgroupRoot}/kubepods/besteffort/poduid-1-2/${container}`);
    expect(own?.use.memoryLimitBytes).toBe(128 * 1024 * 1024);
    const memory = own?.use.memoryWorkingSetBytes ?? 0;
    expect(memory).toBeGreaterThan(20 * 1024 * 1024);
    expect(Math.abs(memory - (told?.memoryWorkingSetBytes ?? 0)) / memory).toBeLessThan(0.05);
    expect(own?.use.cpuNanoseconds).toBeGreaterThanOrEqual(told?.cpuNanoseconds ?? Infinity);
    expect(own?.logs?.usedBytes).toBeGreaterThan(0);
    expect(measured?.group?.use.memoryWorkingSetBytes).toBeGreaterThan(memory);
    expect(measured?.group?.use.processes).toBeGreaterThanOrEqual(2);
    expect(measured?.interfaces?.map(({ name }) => name)).toEqual(['eth0']);
    // What images take is counted by containerd every ten seconds only.
    expect(node.imageFs?.capacityBytes).toBeGreaterThan(0);
    expect(node.podsGroup?.use.memoryUsageBytes).toBeGreaterThan(memory);
    await runtime.removePodSandbox(sandbox);
  });
});
