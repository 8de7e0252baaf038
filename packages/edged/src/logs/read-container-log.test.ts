import { appendFile, mkdtemp, open, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readContainerLog, type ReadContainerLogOptions } from './read-container-log.js';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edge-log-'));
  path = join(folder, '0.log');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const stamp = (second: number): string => `2026-01-01T00:00:${String(second).padStart(2, '0')}.000000000Z`;
const line = (second: number, text: string, { stream = 'stdout', tag = 'F' } = {}): string => `${stamp(second)} ${stream} ${tag} ${text}\n`;

async function read(options: Omit<ReadContainerLogOptions, 'path'> = {}): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of readContainerLog({ path, ...options })) pieces.push(piece);
  return Buffer.concat(pieces).toString('latin1');
}

describe('reading container logs', () => {
  it('[edged-24.1] gives what the container wrote: pieces of a long line joined, bytes as they are, damaged lines left out', async () => {
    const bytes = Buffer.from([0xff, 0xfe, 0x00, 0x80]).toString('latin1');
    await writeFile(path, line(1, 'one') + line(2, 'begin-', { tag: 'P' }) + line(3, 'end') + 'damaged\n' + line(4, bytes) + line(5, ''), 'latin1');
    expect(await read()).toBe(`one\nbegin-end\n${bytes}\n\n`);
  });

  it('[edged-24.2] shows the time at the beginning of each line, not of each piece', async () => {
    await writeFile(path, line(1, 'a-', { tag: 'P' }) + line(2, 'b') + line(3, 'c'));
    expect(await read({ timestamps: true })).toBe(`${stamp(1)} a-b\n${stamp(3)} c\n`);
  });

  it('[edged-24.3] can be limited by time, by bytes and to one stream', async () => {
    await writeFile(path, line(1, 'one') + line(2, 'oops', { stream: 'stderr' }) + line(3, 'three'));
    expect(await read({ sinceTime: Date.parse(stamp(2)) })).toBe('oops\nthree\n');
    expect(await read({ sinceSeconds: 5 })).toBe('');
    expect(await read({ limitBytes: 6 })).toBe('one\noo');
    expect(await read({ stream: 'stderr' })).toBe('oops\n');
    expect(await read({ stream: 'stdout', tailLines: 1 })).toBe('three\n');
  });

  it('[edged-24.4] the last lines are found from the end, also where lines lie across the blocks that are read', async () => {
    const lines = Array.from({ length: 5_000 }, (_, index) => `${index} ${'x'.repeat((index * 37) % 300)}`);
    await writeFile(path, lines.map((text, index) => line(index % 60, text)).join(''));
    for (const tailLines of [0, 1, 2, 399, 400, 2_500, 4_999, 5_000, 6_000]) {
      const expected = tailLines === 0 ? '' : `${lines.slice(-tailLines).join('\n')}\n`;
      expect(await read({ tailLines }), `the last ${tailLines}`).toBe(expected);
    }
    await appendFile(path, line(1, 'a'.repeat(100_000), { tag: 'P' }) + line(1, 'b'));
    expect((await read({ tailLines: 1 })).length).toBe(100_002);
  });

  it('[edged-24.5] the last lines of a sparse file of 4 GiB come at once', { timeout: 60_000 }, async () => {
    await using file = await open(path, 'w');
    await file.write(`\n${line(1, 'first')}${line(1, 'second')}${line(2, 'third')}`, 4 * 1024 ** 3);
    expect(await read({ tailLines: 2 })).toBe('second\nthird\n');
  });

  it('[edged-24.6] follows what is written, through rotation, until the container has ended', async () => {
    await writeFile(path, line(1, 'old') + line(1, 'before'));
    let running = true;
    const got: string[] = [];
    const heard = (text: string): Promise<void> => expect.poll(() => got.join('')).toBe(text);
    const done = (async () => {
      for await (const piece of readContainerLog({ path, tailLines: 1, follow: true, isRunning: () => running })) got.push(Buffer.from(piece).toString());
    })();
    await heard('before\n');
    await appendFile(path, line(2, 'torn').slice(0, 40));
    await appendFile(path, line(2, 'torn').slice(40));
    await heard('before\ntorn\n');
    await rename(path, `${path}.20260101-000000`);
    await appendFile(`${path}.20260101-000000`, line(3, 'late'));
    await writeFile(path, line(4, 'new'));
    await heard('before\ntorn\nlate\nnew\n');
    running = false;
    await appendFile(path, line(5, 'bye'));
    await done;
    expect(got.join('')).toBe('before\ntorn\nlate\nnew\nbye\n');
  });

  it('[edged-24.7] reads no faster than the reader takes, and ends quietly when it is stopped', async () => {
    await writeFile(path, line(1, 'x'.repeat(1_000)).repeat(5_000));
    const controller = new AbortController();
    let bytes = 0;
    for await (const piece of readContainerLog({ path, follow: true, isRunning: () => true, signal: controller.signal })) {
      bytes += piece.length;
      if (bytes > 100_000) controller.abort();
    }
    expect(bytes).toBeLessThan(200_000);
  });

  it('[edged-24.8] says which file is not there', async () => {
    await expect(read()).rejects.toMatchObject({ code: 'edged.log', message: `the log file ${path} is not there (any more)` });
  });
});
