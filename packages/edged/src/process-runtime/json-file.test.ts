import { mkdtemp, open, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeText } from './json-file.js';

describe('a file written anew', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'json-file-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('[edged-process-file-1] is whole for who opened it before, because the shell of a container may be about to read it', async () => {
    const path = join(folder, 'main.sh');
    await writeText(path, 'exec true\n', false);
    await using early = await open(path);
    await writeText(path, 'exec false\n', false);
    expect(await early.readFile('utf8')).toBe('exec true\n');
    expect(await readFile(path, 'utf8')).toBe('exec false\n');
  });

  it('[edged-process-file-2] is whole after two writers at once, both of which succeed', async () => {
    const path = join(folder, 'outcome.json');
    for (let round = 0; round < 20; round += 1) {
      await Promise.all(['a', 'b'].map((letter) => writeText(path, letter.repeat(100_000), false)));
      expect(['a', 'b']).toContain([...new Set(await readFile(path, 'utf8'))].join(''));
    }
    expect(await readdir(folder)).toEqual(['outcome.json']);
  });
});
