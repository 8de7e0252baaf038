import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { fetchPackage, removeFetched, serveFolder } from '../src/index.js';

let work: string;
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'edge-fetch-'));
});
afterAll(() => rm(work, { recursive: true, force: true }));

/** Packs a package of one file. */
function pack(folder: string, name: string, version: string, code: string, dependencies: Record<string, string> = {}): void {
  const source = join(work, 'source', `${basename(name)}-${version}`);
  mkdirSync(join(source, 'package'), { recursive: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(source, 'package', 'package.json'), JSON.stringify({ name, version, main: 'index.js', dependencies }));
  writeFileSync(join(source, 'package', 'index.js'), code);
  execFileSync('tar', ['-czf', join(folder, `${basename(name)}-${version}.tgz`), '-C', source, 'package']);
}

describe('a package in a folder of its own', { timeout: 120_000 }, () => {
  it('[upgrade-7.1] comes with what it needs: from a folder, what that lacks from a registry; packed anew under an old version it gets another folder', async () => {
    const [stick, shelf, into] = [join(work, 'stick'), join(work, 'shelf'), join(work, 'modules', 'clock')];
    pack(shelf, '@acme/wheel', '2.0.0', 'module.exports = "wheel"');
    pack(stick, '@acme/clock', '1.0.0', 'module.exports = "one"', { '@acme/wheel': '^2.0.0' });
    pack(stick, '@acme/clock', '1.1.0', 'module.exports = "two"');
    await using registry = await serveFolder(shelf);
    const source = { from: join(stick, 'clock-1.0.0.tgz'), registry: registry.url };
    const signal = AbortSignal.timeout(100_000);
    // Of an attempt that was cut off by the power, and of one that runs.
    mkdirSync(join(into, '.partial.999999999.ab'), { recursive: true });
    mkdirSync(join(into, '.partial.1.ab'));

    const newest = await fetchPackage({ name: '@acme/clock', into, source }, signal);
    expect(newest).toMatchObject({ version: '1.1.0', folder: expect.stringMatching(/\/clock\/1\.1\.0-[0-9a-f]{8}$/) as string, integrity: expect.stringMatching(/^sha512-/) as string });
    const old = await fetchPackage({ name: '@acme/clock', version: '1.0.0', into, source }, signal);
    expect(readFileSync(join(old.folder, 'node_modules/@acme/wheel/index.js'), 'utf8')).toContain('wheel');
    pack(stick, '@acme/clock', '1.1.0', 'module.exports = "two, mended"');
    const again = await fetchPackage({ name: '@acme/clock', into, source }, signal);
    expect(again.version).toBe('1.1.0');
    expect(readFileSync(join(again.folder, 'node_modules/@acme/clock/index.js'), 'utf8')).toContain('mended');
    expect(readFileSync(join(newest.folder, 'node_modules/@acme/clock/index.js'), 'utf8')).not.toContain('mended');
    expect(readdirSync(into).filter((name) => name.startsWith('.'))).toEqual(['.partial.1.ab']);

    // Put there by hand.
    mkdirSync(join(into, '1.0.0'));
    expect(await removeFetched(into, [again.folder, old.folder])).toEqual([newest.folder]);
    expect([newest, old, again].map(({ folder }) => existsSync(folder))).toEqual([false, true, true]);
    expect((await removeFetched(into, [], true)).toSorted()).toEqual([join(into, '.partial.1.ab'), again.folder, old.folder].toSorted());
    expect(readdirSync(into)).toEqual(['1.0.0']);
    await removeFetched(join(work, 'nothing'));
  });

  it('[upgrade-7.3] comes from where the order says, whatever a .npmrc says of its scope', async () => {
    const [stick, into] = [join(work, 'scoped'), join(work, 'modules', 'scoped')];
    pack(stick, '@acme/clock', '3.0.0', '', { '@acme/hand': '1.0.0' });
    pack(stick, '@acme/hand', '1.0.0', '');
    await using registry = await serveFolder(stick);
    await writeFile(join(work, '.npmrc'), '@acme:registry=http://127.0.0.1:1/\n');
    vi.stubEnv('HOME', work);
    try {
      expect(await fetchPackage({ name: '@acme/clock', into, source: { registry: registry.url } }, AbortSignal.timeout(100_000))).toMatchObject({ version: '3.0.0' });
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it('[upgrade-7.2] is not there at all when something is missing', async () => {
    const [stick, into] = [join(work, 'poor'), join(work, 'modules', 'poor')];
    pack(stick, '@acme/lame', '1.0.0', '', { '@acme/gone': '1.0.0' });
    await using registry = await serveFolder(stick);
    const order = { name: '@acme/lame', into, source: { from: stick, registry: registry.url } };
    await expect(fetchPackage(order, AbortSignal.timeout(100_000))).rejects.toMatchObject({ code: 'upgrade.no-version' });
    await expect(fetchPackage({ ...order, name: '@acme/other' }, AbortSignal.timeout(100_000))).rejects.toMatchObject({ code: 'upgrade.no-version' });
    expect(readdirSync(into)).toEqual([]);
  });
});
