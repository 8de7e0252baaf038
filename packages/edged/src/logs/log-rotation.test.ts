import { appendFile, mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { silentLogger, type RuntimeContainer, type RuntimeContainerStatus } from '@edge/core';
import { createMemoryRuntime } from '@edge/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LogLinks } from './log-links.js';
import { LogRotation } from './log-rotation.js';
import { removeLog } from './log-files.js';

const never = new AbortController().signal;
let root: string;
let logs: string;
let path: string;
let reopened: string[];
let failing: boolean;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'edge-rotate-'));
  logs = join(root, 'pods');
  path = join(logs, 'default_web_u/c/3.log');
  await mkdir(dirname(path), { recursive: true });
  reopened = [];
  failing = false;
});
afterEach(async () => {
  vi.useRealTimers();
  await rm(root, { recursive: true, force: true });
});

function rotation(maxFiles = 4): LogRotation {
  const running = { id: 'id', metadata: { name: 'c', attempt: 3 }, labels: { 'io.kubernetes.pod.name': 'web', 'io.kubernetes.pod.namespace': 'default', 'io.kubernetes.pod.uid': 'u', 'io.kubernetes.container.name': 'c' } };
  const fixed = { id: 'static', metadata: { name: 'c', attempt: 3 }, labels: { ...running.labels, 'io.kubernetes.pod.uid': 'mirror' } };
  const runtime = Object.assign(createMemoryRuntime({}), {
    listContainers: async () => [running, fixed] as unknown as RuntimeContainer[],
    containerStatus: async (id: string) => ({ logPath: id === 'static' ? join(logs, 'default_web_hash/c/3.log') : path }) as RuntimeContainerStatus,
    reopenContainerLog: async (id: string) => {
      if (failing) throw new Error('runtime is busy');
      reopened.push(id);
      await writeFile(id === 'id' ? path : join(logs, 'default_web_hash/c/3.log'), '', { flag: 'a' });
    },
  });
  return new LogRotation({ runtime, podLogsDir: logs, rules: { maxBytes: 100, maxFiles, intervalMs: 1, workers: 1 }, log: silentLogger });
}

const names = async (): Promise<string[]> => (await readdir(dirname(path))).sort();
const unpack = async (name: string): Promise<string> => gunzipSync(await readFile(join(dirname(path), name))).toString();

describe('log rotation', () => {
  it('[edged-24.30] a log that is too large is renamed and opened anew, earlier parts are packed, and no more files stay than configured', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 0, 31, 23, 59, 58) });
    const rotate = rotation();
    for (const round of [1, 2, 3, 4, 5]) {
      await appendFile(path, `${round}`.repeat(101));
      await rotate.rotate(never);
      vi.setSystemTime(Date.now() + 1_000);
    }
    expect(reopened).toHaveLength(5);
    expect(await names()).toEqual(['3.log', '3.log.20260201-000000.gz', '3.log.20260201-000001.gz', '3.log.20260201-000002']);
    expect(await unpack('3.log.20260201-000000.gz')).toBe('3'.repeat(101));
    expect(await unpack('3.log.20260201-000001.gz')).toBe('4'.repeat(101));
  });

  it('[edged-24.31] small logs and logs that nobody writes to stay; the log of a static pod is found though its folder has another uid', async () => {
    await writeFile(path, 'x'.repeat(100));
    await writeFile(join(dirname(path), '2.log'), 'x'.repeat(500));
    const fixed = join(logs, 'default_web_hash/c/3.log');
    await mkdir(dirname(fixed), { recursive: true });
    await writeFile(fixed, 'x'.repeat(101));
    await rotation().rotate(never);
    expect(await names()).toEqual(['2.log', '3.log']);
    expect(reopened).toEqual(['static']);
    expect(await readdir(dirname(fixed))).toHaveLength(2);
  });

  it('[edged-24.32] when the runtime cannot open the log anew nothing is lost; what a killed rotation left behind goes', async () => {
    failing = true;
    await writeFile(path, 'x'.repeat(101));
    await writeFile(`${path}.20260101-000000`, 'half packed');
    await writeFile(`${path}.20260101-000000.gz.tmp`, 'torn');
    await writeFile(`${path}.20260102-000000`, 'whole');
    await writeFile(`${path}.20260102-000000.gz`, 'packed, and not yet removed');
    await rotation(6).rotate(never);
    expect(await readFile(path, 'utf8')).toBe('x'.repeat(101));
    expect(await names()).toEqual(['3.log', '3.log.20260101-000000.gz', '3.log.20260102-000000.gz']);
    expect(await unpack('3.log.20260101-000000.gz')).toBe('half packed');
  });

  it('[edged-24.33] a log goes with all its parts and no other file', async () => {
    for (const name of ['3.log', '3.log.20260101-000000', '3.log.20260101-000000.gz.tmp', '3.log.20251231-000000.gz', '3.log.mine', '13.log', '4.log']) await writeFile(join(dirname(path), name), '');
    await removeLog(path);
    expect(await names()).toEqual(['13.log', '3.log.mine', '4.log']);
    await removeLog(join(root, 'nowhere/0.log'));
  });
});

describe('links to logs', () => {
  it('[edged-24.34] a started container gets one where log collectors look; links without a log go, other files stay', async () => {
    const links = new LogLinks({ podLogsDir: logs, log: silentLogger });
    await writeFile(path, '');
    const id = 'f'.repeat(64);
    await links.add({ pod: 'web', namespace: 'default', name: 'c', id, logPath: path });
    await links.add({ pod: 'w'.repeat(253), namespace: 'default', name: 'c', id, logPath: join(root, 'gone') });
    const folder = join(root, 'containers');
    await symlink(join(root, 'gone'), join(folder, 'somebody-elses'));
    const made = await readdir(folder);
    expect(made).toContain(`web_default_c-${id}.log`);
    expect(made.map(({ length }) => length)).toContain(255);
    expect(await readlink(join(folder, `web_default_c-${id}.log`))).toBe(path);
    await links.sweep();
    expect((await readdir(folder)).sort()).toEqual(['somebody-elses', `web_default_c-${id}.log`]);
    await links.add({ pod: 'web', namespace: 'default', name: 'c', id, logPath: path });
  });
});
