import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { errorText } from '@edge/core';
import { upgradeError, UpgradeErrors } from '../errors.js';
import { integrityOf } from './digest.js';
import { tarEntry } from './tar-entry.js';

interface Manifest {
  readonly name: string;
  readonly version: string;
}

interface Archive {
  readonly file: string;
  readonly manifest: Manifest;
  readonly integrity: string;
}

export interface FolderRegistry extends AsyncDisposable {
  /** Where npm finds it. */
  readonly url: string;
  /** Versions of a package in the folder. */
  versionsOf(name: string): readonly string[];
}

/**
 * Serves a folder of packed packages (`*.tgz`, as `npm pack` makes them) to npm, on the loopback, until disposed. So a version is
 * installed from a USB stick the same way as from the network.
 * @param others address of a registry that is asked for what is not in the folder
 * @throws EdgeError `upgrade.no-source` when the folder or an archive cannot be read
 */
export async function serveFolder(folder: string, others?: string): Promise<FolderRegistry> {
  const archives = await readArchives(folder);
  const server = createServer((request, response) => {
    const path = pathOf(request.url ?? '');
    const name = path.slice(1);
    const archive = archives.find(({ file }) => path === `/-/${file}`);
    if (archive) return void send(response, 200, 'application/octet-stream', readFile(join(folder, archive.file)));
    const versions = archives.filter(({ manifest }) => manifest.name === name);
    if (versions.length === 0 && others !== undefined) return void response.writeHead(302, { location: `${others.replace(/\/$/, '')}${request.url ?? ''}` }).end();
    if (versions.length === 0) return void send(response, 404, 'application/json', Promise.resolve('{"error":"not in the folder"}'));
    send(response, 200, 'application/json', Promise.resolve(JSON.stringify(packument(name, versions, `http://${request.headers.host ?? ''}`))));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    versionsOf: (name) => archives.filter(({ manifest }) => manifest.name === name).map(({ manifest }) => manifest.version),
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Other programs of the machine reach this server too, with whatever they send. */
function pathOf(url: string): string {
  try {
    return decodeURIComponent(url.split('?')[0] ?? '');
  } catch {
    return '';
  }
}

async function readArchives(folder: string): Promise<readonly Archive[]> {
  try {
    const files = (await readdir(folder)).filter((file) => file.endsWith('.tgz')).sort();
    if (files.length === 0) throw new Error('there is no *.tgz in it');
    return await Promise.all(files.map((file) => readArchive(folder, file)));
  } catch (error) {
    throw upgradeError(UpgradeErrors.noSource, `${folder} cannot be used as a source of versions: ${errorText(error)}`, error);
  }
}

async function readArchive(folder: string, file: string): Promise<Archive> {
  const bytes = await readFile(join(folder, file));
  // The folder in the archive is `package` by custom alone.
  const text = tarEntry(bytes, (name) => /^[^/]+\/package\.json$/.test(name));
  if (text === undefined) throw new Error(`${file} holds no package.json`);
  return { file, manifest: JSON.parse(text.toString('utf8')) as Manifest, integrity: integrityOf(bytes) };
}

function packument(name: string, archives: readonly Archive[], base: string): object {
  const versions = Object.fromEntries(archives.map(({ file, manifest, integrity }) => [manifest.version, { ...manifest, dist: { tarball: `${base}/-/${file}`, integrity } }]));
  return { name, versions, 'dist-tags': { latest: archives.at(-1)?.manifest.version } };
}

function send(response: ServerResponse, status: number, type: string, body: Promise<string | Buffer>): void {
  body.then(
    (bytes) => response.writeHead(status, { 'content-type': type }).end(bytes),
    () => response.writeHead(500).end(),
  );
}
