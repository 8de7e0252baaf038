import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { silentLogger } from '@edge/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { layoutOf, prepareVersion, serveFolder, Versions } from '../src/index.js';

let folder = '';
const archives = (): string => join(folder, 'archives');

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'edge-published-'));
  mkdirSync(archives());
  for (const version of ['1.0.0', '1.0.1']) {
    mkdirSync(join(folder, 'package', 'dist'), { recursive: true });
    writeFileSync(join(folder, 'package', 'package.json'), JSON.stringify({ name: '@edge/cli', version }));
    writeFileSync(join(folder, 'package', 'dist', 'main.js'), `console.log('${version}')`);
    execFileSync('tar', ['-czf', join(folder, `cli-${version}.tgz`), '-C', folder, 'package']);
  }
  renameSync(join(folder, 'cli-1.0.0.tgz'), join(archives(), 'cli-1.0.0.tgz'));
});
afterAll(() => rmSync(folder, { recursive: true }));

it('[upgrade-10.3] a version that was published a moment ago is there, though the registry lets its list be remembered', { timeout: 120_000 }, async () => {
  const server = createServer((request, response) => {
    void serveFolder(archives()).then(async (registry) => {
      const answer = await fetch(`${registry.url}${request.url ?? ''}`);
      const bytes = Buffer.from(await answer.arrayBuffer());
      await registry[Symbol.asyncDispose]();
      const isList = answer.headers.get('content-type') === 'application/json';
      response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '', 'cache-control': 'public, max-age=600' });
      response.end(isList ? bytes.toString().replaceAll(registry.url, `http://${request.headers.host ?? ''}`) : bytes);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const layout = layoutOf(join(folder, 'root'));
    const versions = new Versions({ layout });
    const source = { registry: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
    const parts = { layout, versions, source, log: silentLogger, signal: new AbortController().signal };
    await prepareVersion('1.0.0', undefined, parts);
    renameSync(join(folder, 'cli-1.0.1.tgz'), join(archives(), 'cli-1.0.1.tgz'));
    await prepareVersion('1.0.1', undefined, parts);
    expect(await versions.list()).toEqual(['1.0.1', '1.0.0']);
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

it('[upgrade-10.4] a request that is none does not end who serves a folder', async () => {
  await using registry = await serveFolder(archives());
  for (const path of ['/%', '/-/%2e%2e%2fcli-1.0.1.tgz', '/-/../cli-1.0.1.tgz']) {
    const [answer] = (await once(get(`${registry.url}/`, { path, agent: false }), 'response')) as [IncomingMessage];
    expect(answer.statusCode).toBe(404);
    answer.resume();
  }
});

it('[upgrade-10.6] a version that was copied has no digest: with one pinned the archive takes its place, unless it runs', { timeout: 120_000 }, async () => {
  const layout = layoutOf(join(folder, 'copied'));
  const versions = new Versions({ layout });
  const main = join(layout.versions, '1.0.0', 'node_modules', '@edge', 'cli', 'dist', 'main.js');
  mkdirSync(dirname(main), { recursive: true });
  writeFileSync(main, "console.log('1.0.0')");
  writeFileSync(join(layout.versions, '1.0.0', 'edgecore.json'), JSON.stringify({ version: '1.0.0', integrity: '' }));
  const parts = { layout, versions, source: { from: archives() }, log: silentLogger, signal: new AbortController().signal };
  const digest = `sha512:${createHash('sha512').update(readFileSync(join(archives(), 'cli-1.0.0.tgz'))).digest('hex')}`;
  await prepareVersion('1.0.0', undefined, parts);
  await versions.switchTo('1.0.0');
  await expect(prepareVersion('1.0.0', digest, parts)).rejects.toMatchObject({ code: 'upgrade.integrity', message: expect.stringContaining('runs as a copy') as string });
  expect((await versions.mark('1.0.0'))?.integrity).toBe('');
  rmSync(layout.current);
  await prepareVersion('1.0.0', digest, parts);
  expect((await versions.mark('1.0.0'))?.integrity).toMatch(/^sha512-/);
});
