import { spawn, type ChildProcess } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BUSYBOX_IMAGE, startContainerd, type Containerd } from '@edge/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { eventually, temporaryFolder } from '../support/agent.js';
import { startDev, type Dev } from '../support/dev.js';

const MANIFEST = JSON.stringify({
  apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'default' },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [{
      name: 'c', image: BUSYBOX_IMAGE, imagePullPolicy: 'Never', stdin: true,
      command: ['sh', '-c', 'mkdir /www; echo page > /www/index.html; httpd -p 8080 -h /www; n=0; while true; do n=$((n+1)); echo line $n; sleep 1; done'],
    }],
  },
});

interface Outcome {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

const opened: AsyncDisposable[] = [];
let containerd: Containerd;
let dev: Dev;
let folder: string;

beforeAll(async () => {
  containerd = await startContainerd({});
  opened.push(containerd);
  const temporary = await temporaryFolder();
  opened.push(temporary);
  folder = temporary.path;
  dev = await startDev(folder, ['--runtime', 'cri', '--container-runtime-endpoint', `unix://${containerd.socket}`]);
  opened.push(dev);
  await dev.said(/Node edge-e2e is Ready/, 120_000);
  await writeFile(join(folder, 'pod.json'), MANIFEST);
  await dev.kubectl('apply', '-f', join(folder, 'pod.json'));
  await dev.kubectl('wait', '--for=condition=Ready', 'pod/p', '--timeout=120s');
}, 300_000);
afterAll(async () => {
  for (const one of opened.reverse()) await one[Symbol.asyncDispose]();
}, 120_000);

function start(args: readonly string[], pty = false): ChildProcess {
  const words = ['kubectl', '--kubeconfig', join(folder, 'cloud', 'kubeconfig'), ...args];
  const [command = '', ...rest] = pty ? ['script', '-qefc', words.map((word) => `'${word}'`).join(' '), '/dev/null'] : words;
  return spawn(command, rest, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, TERM: 'xterm' } });
}

async function kubectl(args: readonly string[], options: { input?: Buffer; pty?: boolean } = {}): Promise<Outcome> {
  const child = start(args, options.pty);
  const timer = setTimeout(() => child.kill('SIGKILL'), 150_000);
  const stdout: Buffer[] = [];
  let stderr = '';
  child.stdout?.on('data', (bytes: Buffer) => stdout.push(bytes));
  child.stderr?.on('data', (bytes: Buffer) => (stderr += String(bytes)));
  child.stdin?.on('error', () => undefined);
  if (!options.pty) child.stdin?.end(options.input);
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(timer);
  return { code, stdout: Buffer.concat(stdout), stderr };
}

const sum = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

it('[cli-stream-1.1] kubectl logs: the last lines, and twenty that follow at once', { timeout: 300_000 }, async () => {
  await eventually(async () => String((await kubectl(['logs', 'p'])).stdout).includes('line 2\n'), 90_000, () => 'no second line');
  expect(String((await kubectl(['logs', 'p', '--tail=1', '--timestamps'])).stdout)).toMatch(/^\d{4}-\S+Z line \d+\n$/);
  expect(await kubectl(['logs', 'p', '--previous'])).toMatchObject({ code: 1, stderr: expect.stringContaining('not found') as string });
  const followers = Array.from({ length: 20 }, () => start(['logs', '-f', 'p', '--tail=1']));
  const lines = followers.map(() => 0);
  followers.forEach((child, index) => child.stdout?.on('data', (bytes: Buffer) => (lines[index] = (lines[index] ?? 0) + String(bytes).split('\n').length - 1)));
  await eventually(() => lines.every((count) => count >= 3), 120_000, () => `lines that came: ${lines.join(' ')}`);
  for (const child of followers) child.kill('SIGKILL');
  await Promise.all(followers.map((child) => child.exitCode ?? child.signalCode ?? once(child, 'exit')));
});

it('[cli-stream-1.2] kubectl exec: exit codes, input to its end, bytes of any value, a terminal', { timeout: 300_000 }, async () => {
  expect(await kubectl(['exec', 'p', '--', 'sh', '-c', 'echo out; echo err >&2; exit 7'])).toMatchObject({ code: 7, stdout: Buffer.from('out\n'), stderr: expect.stringContaining('err\n') as string });
  const bytes = randomBytes(5 * 1024 * 1024);
  const back = await kubectl(['exec', '-i', 'p', '--', 'cat'], { input: bytes });
  expect([back.code, sum(back.stdout)]).toEqual([0, sum(bytes)]);
  const terminal = await kubectl(['exec', '-it', 'p', '--', 'sh', '-c', 'test -t 0 && echo a terminal; exit 5'], { pty: true });
  expect(String(terminal.stdout)).toContain('a terminal');
  expect(terminal.code).toBe(5);
  expect((await kubectl(['exec', 'nobody', '--', 'true'])).stderr).toContain('pods "nobody" not found');
});

it('[cli-stream-1.3] kubectl cp both ways, attach and port-forward', { timeout: 300_000 }, async () => {
  const bytes = randomBytes(8 * 1024 * 1024);
  await writeFile(join(folder, 'there'), bytes);
  expect(await kubectl(['cp', join(folder, 'there'), 'p:/tmp/file'])).toMatchObject({ code: 0 });
  expect(await kubectl(['cp', 'p:/tmp/file', join(folder, 'back')])).toMatchObject({ code: 0 });
  expect(sum(await readFile(join(folder, 'back')))).toBe(sum(bytes));

  const attached = start(['attach', 'p']);
  let shown = '';
  attached.stdout?.on('data', (part: Buffer) => (shown += String(part)));
  await eventually(() => /line \d+\n/.test(shown), 90_000, () => `attach showed: ${shown}`);
  attached.kill('SIGKILL');

  const forward = start(['port-forward', 'p', ':8080']);
  let said = '';
  forward.stdout?.on('data', (part: Buffer) => (said += String(part)));
  forward.stderr?.on('data', (part: Buffer) => (said += String(part)));
  await eventually(() => /127.0.0.1:(\d+) ->/.test(said), 90_000, () => `port-forward said: ${said}`);
  const port = /127.0.0.1:(\d+) ->/.exec(said)?.[1] ?? '';
  const pages = await Promise.all([1, 2, 3].map(async () => (await fetch(`http://127.0.0.1:${port}/`)).text()));
  expect(pages).toEqual(['page\n', 'page\n', 'page\n']);
  forward.kill('SIGKILL');
  await Promise.all([attached, forward].map((child) => child.exitCode ?? child.signalCode ?? once(child, 'exit')));
});

it('[cli-stream-1.4] commands cut off in the middle end alone: the agent serves on and keeps no connection of theirs', { timeout: 300_000 }, async () => {
  const running = Array.from({ length: 8 }, () => start(['exec', '-i', 'p', '--', 'sh', '-c', 'echo began; exec cat > /dev/null']));
  await Promise.all(running.map((child) => once(child.stdout as NodeJS.ReadableStream & NodeJS.EventEmitter, 'data')));
  const inside = async (): Promise<number> => Number(String((await kubectl(['exec', 'p', '--', 'sh', '-c', 'ps | grep -c "[c]at$"'])).stdout).trim());
  for (const child of running) child.kill('SIGKILL');
  await eventually(async () => (await inside()) === 0, 120_000, () => 'commands of callers that were killed still run');
  expect(dev.output).not.toContain('is started again');
  expect(String((await kubectl(['exec', 'p', '--', 'echo', 'still here'])).stdout)).toBe('still here\n');
});

it('[cli-stream-1.5] a command over WebSocket with the channels of v4; v5 alone is refused so that clients try SPDY', { timeout: 300_000 }, async () => {
  const [ca, token, url] = await Promise.all([
    readFile(join(folder, 'cloud', 'pki', 'ca.crt')),
    readFile(join(folder, 'cloud', 'pki', 'admin.token'), 'utf8'),
    dev.kubectl('config', 'view', '-o', 'jsonpath={.clusters[0].cluster.server}'),
  ]);
  const dial = (protocol: string): WebSocket =>
    new WebSocket(`${url.replace('https', 'wss')}/api/v1/namespaces/default/pods/p/exec?command=cat&stdin=true&stdout=true`, protocol, { ca, headers: { Authorization: `Bearer ${token.trim()}` }, perMessageDeflate: false });
  const socket = dial('v4.channel.k8s.io');
  const said: Record<number, string> = {};
  socket.on('message', (data: Buffer) => (said[data[0] ?? 0] = (said[data[0] ?? 0] ?? '') + data.subarray(1).toString()));
  await once(socket, 'open');
  socket.send(Buffer.from('\0hello'));
  await eventually(() => said[1] === 'hello', 90_000, () => JSON.stringify(said));
  socket.terminate();
  const [error] = (await once(dial('v5.channel.k8s.io'), 'error')) as [Error];
  expect(error.message).toContain('400');
});
