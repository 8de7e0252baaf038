// The agent in one file with what must lie beside it: its licences and, for a Node.js without a SQLite of its own, the library.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { root } from '../bootstrap.mjs';
import { licences, LICENCES_FILE } from '../third-party.mjs';

/** Where libsql is prebuilt for, on Linux. */
export const platforms = ['linux-x64-gnu', 'linux-x64-musl', 'linux-arm64-gnu', 'linux-arm64-musl', 'linux-arm-gnueabihf', 'linux-arm-musleabihf'];

/** The platform of the Node.js that runs this. */
export function ownPlatform() {
  const musl = process.report.getReport().header.glibcVersionRuntime === undefined;
  return `linux-${process.arch}-${process.arch === 'arm' ? (musl ? 'musleabihf' : 'gnueabihf') : musl ? 'musl' : 'gnu'}`;
}

/** Version of the agent. */
export const version = JSON.parse(readFileSync(join(root, 'packages', 'cli', 'package.json'), 'utf8')).version;

/**
 * Lays the program into a folder, which may be there already.
 * @param bundled the built file
 * @param sqlite one of `platforms`, or `node` for none; that of this machine unless given
 * @returns path of the program there
 * @throws where the folder has a node_modules of somebody else
 */
export function layProgram(bundled, folder, sqlite = ownPlatform()) {
  if (existsSync(join(folder, 'node_modules')) && !existsSync(join(folder, 'edgecore.mjs'))) throw new Error(`${folder} has a node_modules that is not the agent's, which would be replaced: name an empty folder`);
  mkdirSync(folder, { recursive: true });
  cpSync(bundled, join(folder, 'edgecore.mjs'));
  cpSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  cpSync(join(dirname(bundled), LICENCES_FILE), join(folder, LICENCES_FILE));
  rmSync(join(folder, 'node_modules'), { recursive: true, force: true });
  if (sqlite !== 'node') layLibrary(folder, sqlite);
  return join(folder, 'edgecore.mjs');
}

/** libsql as npm would install it, with the native part of one platform alone: npm brings those of two. */
function layLibrary(folder, platform) {
  const from = join(root, 'node_modules');
  const native = `@libsql/${platform}`;
  const places = [];
  for (const name of ['libsql', '@neon-rs/load', 'detect-libc', native]) {
    const nested = join(from, 'libsql', 'node_modules', name);
    const place = existsSync(nested) ? nested : join(from, name);
    const target = join(folder, 'node_modules', name);
    if (existsSync(place)) cpSync(place, target, { recursive: true, filter: (source) => !source.slice(place.length).includes('/node_modules') });
    else unpack(`${name}@${JSON.parse(readFileSync(join(from, 'libsql', 'package.json'), 'utf8')).version}`, target);
    const { version: found, license } = JSON.parse(readFileSync(join(target, 'package.json'), 'utf8'));
    places.push({ name, version: found, license, folder: target });
  }
  writeFileSync(join(folder, LICENCES_FILE), `${readFileSync(join(folder, LICENCES_FILE), 'utf8')}\n${licences(places)}`);
}

/** A package for another platform is not among what npm has installed here. */
function unpack(wanted, target) {
  const temporary = mkdtempSync(join(tmpdir(), 'edge-pack-'));
  try {
    const [{ filename }] = Object.values(JSON.parse(execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--loglevel=error', '--pack-destination', temporary, wanted], { encoding: 'utf8' })));
    mkdirSync(target, { recursive: true });
    execFileSync('tar', ['-xzf', join(temporary, filename), '-C', target, '--strip-components=1']);
  } finally {
    rmSync(temporary, { recursive: true });
  }
}
