import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@edge/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { layoutOf, newestVersion, prepareVersion, serveFolder, Versions, type Source } from '../src/index.js';

let folder = '';
let archives = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edge-fetch-'));
  archives = join(folder, 'archives');
  await mkdir(archives);
  for (const version of ['1.0.0', '1.10.0']) {
    const dist = join(folder, 'package', 'dist');
    await mkdir(dist, { recursive: true });
    writeFileSync(join(folder, 'package', 'package.json'), JSON.stringify({ name: '@edge/cli', version, scripts: { install: 'exit 1' } }));
    writeFileSync(join(dist, 'main.js'), `console.log('${version}')`);
    writeFileSync(join(dist, 'ballast'), Buffer.alloc(6_000_000, version));
    execFileSync('tar', ['-czf', join(archives, `cli-${version}.tgz`), '-C', folder, 'package']);
  }
});
afterAll(() => rm(folder, { recursive: true }));

const never = new AbortController().signal;

function prepare(root: string, version: string, source: Source, digest?: string, signal = never): Promise<void> {
  const layout = layoutOf(root);
  return prepareVersion(version, digest, { layout, versions: new Versions({ layout }), source, log: silentLogger, signal });
}

it('[upgrade-6.6] a folder of archives is a source like a registry; the newest of it is by number; no script runs; the same again does nothing', async () => {
  const root = join(folder, 'a');
  expect(await newestVersion({ from: archives }, never)).toBe('1.10.0');
  await prepare(root, '1.10.0', { from: archives });
  const versions = new Versions({ layout: layoutOf(root) });
  expect(await versions.list()).toEqual(['1.10.0']);
  const { integrity = '' } = (await versions.mark('1.10.0')) ?? {};
  const sha512 = execFileSync('openssl', ['dgst', '-sha512', '-r', join(archives, 'cli-1.10.0.tgz')], { encoding: 'utf8' }).slice(0, 128);
  const sha256 = execFileSync('openssl', ['dgst', '-sha256', '-r', join(archives, 'cli-1.10.0.tgz')], { encoding: 'utf8' }).slice(0, 64);
  // There already: no source is asked, and the digest still has to fit.
  await prepare(root, '1.10.0', { registry: 'http://127.0.0.1:9' }, integrity);
  await prepare(root, '1.10.0', { registry: 'http://127.0.0.1:9' }, `sha512:${sha512}`);
  await expect(prepare(root, '1.10.0', { registry: 'http://127.0.0.1:9' }, `sha512:${'0'.repeat(128)}`)).rejects.toMatchObject({ code: 'upgrade.integrity' });
  await prepare(root, '1.10.0', { from: archives }, `sha256:${sha256}`);
  expect(readdirSync(join(root, 'versions'))).toEqual(['1.10.0']);
});

it('[upgrade-6.7] an archive that is not the one that the registry announces is not used', async () => {
  await using honest = await serveFolder(archives);
  // A registry whose list is right and whose archive has been exchanged.
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/-/')) return void response.end(readFileSync(join(archives, 'cli-1.10.0.tgz')));
    void fetch(`${honest.url}${request.url ?? ''}`).then(async (answer) => response.end((await answer.text()).replaceAll(honest.url, `http://${request.headers.host ?? ''}`)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const root = join(folder, 'b');
  const registry = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await expect(prepare(root, '1.0.0', { registry })).rejects.toMatchObject({ code: 'upgrade.integrity' });
  expect(readdirSync(join(root, 'versions'))).toEqual([]);
  server.close();
  server.closeAllConnections();
});

it('[upgrade-6.8] a full disk is named, and what was written is taken away again', async () => {
  const root = join(folder, 'c');
  await mkdir(root);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', root]);
  try {
    await expect(prepare(root, '1.0.0', { from: archives })).rejects.toMatchObject({ code: 'upgrade.disk-full' });
    expect(readdirSync(join(root, 'versions'))).toEqual([]);
  } finally {
    execFileSync('umount', [root]);
  }
});

it('[upgrade-6.9] is given up when it is told to, with npm and all', async () => {
  const asked = new AbortController();
  const server = createServer(() => asked.abort());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const root = join(folder, 'd');
  await expect(prepare(root, '1.0.0', { registry: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }, undefined, asked.signal)).rejects.toMatchObject({ code: 'core.aborted' });
  expect(readdirSync(join(root, 'versions'))).toEqual([]);
  server.close();
  server.closeAllConnections();
});
