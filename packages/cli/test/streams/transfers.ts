import { createHash, randomBytes } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { StreamScene } from './stream-scene.js';

const SIZE = 64 * 1024 * 1024;
const CONNECTIONS = 8;

/** `kubectl cp` and `port-forward`. */
export function transferTests(scene: () => StreamScene): void {
  it('[cli-stream-1.3] kubectl cp carries 64 MiB both ways, and port-forward many connections with large bodies at once', { timeout: 600_000 }, async () => {
    const { kubectl, folder } = scene();
    const bytes = randomBytes(SIZE);
    const sum = (what: Uint8Array): string => createHash('sha256').update(what).digest('hex');
    const wanted = sum(bytes);
    await writeFile(join(folder, 'there'), bytes);
    expect(await kubectl.run(['cp', join(folder, 'there'), 'p:/www/file'])).toMatchObject({ code: 0 });
    expect((await kubectl.text('exec', 'p', '--', 'sha256sum', '/www/file')).split(' ')[0]).toBe(wanted);
    expect(await kubectl.run(['cp', 'p:/www/file', join(folder, 'back')])).toMatchObject({ code: 0 });
    expect(sum(await readFile(join(folder, 'back')))).toBe(wanted);
    await rm(join(folder, 'back'));

    const forward = kubectl.start('port-forward', 'p', ':8080');
    await forward.shows(/127.0.0.1:(\d+) ->/);
    const url = `http://127.0.0.1:${/127.0.0.1:(\d+) ->/.exec(forward.said)?.[1] ?? ''}`;
    const part = async (from: number): Promise<boolean> => {
      const answer = await fetch(`${url}/file`, { headers: { Range: `bytes=${from}-` } });
      return sum(new Uint8Array(await answer.arrayBuffer())) === sum(bytes.subarray(from));
    };
    // The last megabytes by many at once, and small ones between them.
    const large = Array.from({ length: CONNECTIONS }, (_, index) => part(SIZE - (4 + index) * 1024 * 1024));
    const small = Array.from({ length: CONNECTIONS }, async () => (await fetch(`${url}/`)).text());
    expect(await Promise.all(small)).toEqual(small.map(() => 'page\n'));
    expect(await Promise.all(large)).toEqual(large.map(() => true));
    await forward.kill();
  });
}
