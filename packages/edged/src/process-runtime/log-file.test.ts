import { appendFile, mkdtemp, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LogFile } from './log-file.js';

const line = (text: string): Buffer => Buffer.from(`2026-01-01T00:00:00.000000000Z stdout F ${text}\n`);

describe('the log file of a container', () => {
  let folder = '';
  let path = '';
  let position = '';

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'log-file-'));
    path = join(folder, 'logs/main/0.log');
    position = join(folder, 'position');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const open = (): Promise<LogFile> => LogFile.open(path, position);

  async function write(...texts: string[]): Promise<void> {
    const file = await open();
    for (const text of texts) await file.append(line(text), 'stdout', text.length + 1);
    await file.close();
  }

  async function offsets(): Promise<{ stdout: number; stderr: number }> {
    const file = await open();
    await file.close();
    return { ...file.offsets };
  }

  it('[edged-process-position-1] goes on where it was', async () => {
    await write('one', 'two');
    expect(await offsets()).toEqual({ stdout: 8, stderr: 0 });
  });

  it('[edged-process-position-2] counts lines that were appended before a kill and not noted', async () => {
    await write('one');
    const noted = await readFile(position);
    await write('two', 'three');
    await writeFile(position, noted);
    expect(await offsets()).toEqual({ stdout: 14, stderr: 0 });
    expect(await readFile(path, 'utf8')).toBe([line('one'), line('two'), line('three')].join(''));
  });

  it('[edged-process-position-3] cuts a line off that a kill has torn, so that it is written anew', async () => {
    await write('one');
    await appendFile(path, line('two').subarray(0, 40));
    expect(await offsets()).toEqual({ stdout: 4, stderr: 0 });
    await write('two');
    expect(await readFile(path, 'utf8')).toBe([line('one'), line('two')].join(''));
  });

  it('[edged-process-position-4] finds a log that was renamed before the kill and not reopened', async () => {
    await write('one');
    const noted = await readFile(position);
    await write('two');
    await writeFile(position, noted);
    await rename(path, `${path}.20260101-000000`);
    expect(await offsets()).toEqual({ stdout: 8, stderr: 0 });
    await write('three');
    expect(await readFile(path, 'utf8')).toBe(line('three').toString());
  });

  it('[edged-process-position-5] goes on as noted when the log is gone', async () => {
    await write('one', 'two');
    await rm(path);
    expect(await offsets()).toEqual({ stdout: 8, stderr: 0 });
  });

  it('[edged-process-position-6] goes on as noted when the disk lost the end of the log', async () => {
    await write('one', 'two');
    await truncate(path, 10);
    expect(await offsets()).toEqual({ stdout: 8, stderr: 0 });
  });

  it('[edged-process-position-7] begins anew with an output file, and remembers that', async () => {
    const file = await open();
    await file.append(line('one'), 'stdout', 4);
    file.restart('stdout');
    await file.close();
    expect(await offsets()).toEqual({ stdout: 0, stderr: 0 });
  });
});
