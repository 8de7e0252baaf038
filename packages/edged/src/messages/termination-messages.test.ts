import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { silentLogger, type RuntimeContainerStatus } from '@edge/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ContainerAnnotations } from '../plan/identity.js';
import { limitMessages } from '../plan/message-limit.js';
import { TerminationMessages } from './termination-messages.js';

let root: string;
let messages: TerminationMessages;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'edge-words-'));
  messages = new TerminationMessages({ root, log: silentLogger });
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** An ended container whose message file holds `written`. */
async function ended(written: string | undefined, parts: Partial<RuntimeContainerStatus> & { policy?: string; log?: string } = {}): Promise<RuntimeContainerStatus> {
  const { policy = 'File', log, ...rest } = parts;
  const mount = await messages.prepare('u', { name: 'c' }, 0);
  const hostPath = mount?.hostPath ?? '';
  if (written === undefined) await rm(hostPath);
  else await writeFile(hostPath, written);
  const logPath = join(root, 'logs', '0.log');
  if (log !== undefined) {
    await mkdir(dirname(logPath), { recursive: true });
    await writeFile(logPath, log);
  }
  return {
    id: 'id', sandboxId: 's', metadata: { name: 'c', attempt: 0 }, image: 'i', imageRef: 'i', state: 'exited', createdAt: 1, labels: {}, startedAt: 1, finishedAt: 2, exitCode: 1,
    reason: 'Error', message: '', logPath, mounts: mount ? [mount] : [],
    annotations: { [ContainerAnnotations.messagePath]: '/dev/termination-log', [ContainerAnnotations.messagePolicy]: policy },
    ...rest,
  };
}

const message = async (status: RuntimeContainerStatus): Promise<string> => (await messages.complete(status)).message;
const logLine = (text: string): string => `2026-01-01T00:00:00.000000000Z stdout F ${text}\n`;

describe('termination messages', () => {
  it('[edged-24.20] each run has a file of its own that any user can write to, at the path that the spec names', async () => {
    const first = await messages.prepare('u', { name: 'c' }, 0);
    expect(first).toEqual({ containerPath: '/dev/termination-log', hostPath: join(root, 'pods/u/containers/c/00000000') });
    expect((await stat(first?.hostPath ?? '')).mode & 0o777).toBe(0o666);
    expect(await messages.prepare('u', { name: 'c', terminationMessagePath: '/tmp/last' }, 26)).toEqual({ containerPath: '/tmp/last', hostPath: join(root, 'pods/u/containers/c/0000001a') });
    for (let attempt = 27; attempt < 70; attempt += 1) await messages.prepare('u', { name: 'c' }, attempt);
    const left = await readdir(join(root, 'pods/u/containers/c'));
    expect([left.length, left.sort().at(-1)]).toEqual([32, '00000045']);
  });

  it('[edged-24.21] the end of what the container wrote, 4 KiB at most, follows what the runtime says', async () => {
    expect(await message(await ended('done'))).toBe('done');
    expect(await message(await ended(`${'a'.repeat(1000)}${'b'.repeat(4096)}`))).toBe('b'.repeat(4096));
    expect(await message(await ended('my words', { message: 'oom' }))).toBe('oom: my words');
    expect(await message(await ended(undefined, { message: 'start failed' }))).toBe('start failed');
    expect(await message(await ended('still working', { state: 'running' }))).toBe('');
  });

  it('[edged-24.22] with FallbackToLogsOnError the end of the log speaks for a container that failed silently', async () => {
    const log = Array.from({ length: 100 }, (_, index) => logLine(`line ${index}`)).join('');
    const fall = (parts: object): Promise<string> => ended('', { policy: 'FallbackToLogsOnError', log, ...parts }).then(message);
    const words = await fall({});
    expect(words.split('\n')).toHaveLength(81);
    expect(words.endsWith('line 99\n')).toBe(true);
    expect((await fall({ log: logLine('x'.repeat(5000)) })).length).toBe(2048);
    expect(await fall({ exitCode: 0, reason: 'Completed' })).toBe('');
    expect(await fall({ exitCode: 0, reason: 'OOMKilled' })).toBe(words);
    expect(await fall({ policy: 'File' })).toBe('');
    expect(await message(await ended('own', { policy: 'FallbackToLogsOnError', log }))).toBe('own');
    await rm(join(root, 'logs'), { recursive: true });
    expect(await message(await ended('', { policy: 'FallbackToLogsOnError' }))).toBe('');
  });

  it('[edged-24.24] what is no file has no words and holds nobody up', async () => {
    const status = await ended('words');
    const pipe = join(root, 'pipe');
    execFileSync('mkfifo', [pipe]);
    for (const hostPath of [pipe, root]) expect(await message({ ...status, mounts: [{ containerPath: '/dev/termination-log', hostPath }] })).toBe('');
  });

  it('[edged-24.23] the messages of a pod share 12 KiB; a character is not torn', () => {
    const status = (text: string) => ({ name: 'c', state: {}, lastState: { terminated: { exitCode: 1, message: text } }, ready: false, restartCount: 0, image: '', imageID: '' });
    const cut = (text: string, containers: number) => limitMessages([status(text)], containers)[0]?.lastState.terminated?.message;
    expect(cut('x'.repeat(4096), 3)).toHaveLength(4096);
    expect(cut('x'.repeat(4096), 4)).toHaveLength(3072);
    expect(cut(`${'x'.repeat(3071)}ü`, 4)).toBe('x'.repeat(3071));
  });
});
