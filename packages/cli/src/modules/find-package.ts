import { readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isFields } from '@edge/protocol';
import { packageEntry } from './package-entry.js';

/** A package on the disk. */
export interface FoundPackage {
  /** Its own folder; of a link, where it leads, since its imports are looked for from there. */
  readonly folder: string;
  readonly name: string;
  readonly version: string;
  /** File that an import of it loads; undefined when it has none. */
  readonly entry: string | undefined;
  /** Packages that must be there beside it → range; optional ones are left out. */
  readonly peers: Readonly<Record<string, string>>;
}

/** The package that code in a folder would import by that name: the first one in `node_modules` there, or above. */
export function findPackage(name: string, from: string): FoundPackage | undefined {
  return findPackages(name, from)[0];
}

/** All places where a package of that name lies for code in a folder, the nearest, which an import takes, first. */
export function findPackages(name: string, from: string): FoundPackage[] {
  const found: FoundPackage[] = [];
  for (let folder = from, above = ''; folder !== above; above = folder, folder = dirname(folder)) {
    const candidate = readPackage(join(folder, 'node_modules', name));
    if (candidate) found.push(candidate);
  }
  return found;
}

/** The package in that very folder; undefined when none is there. */
export function readPackage(folder: string): FoundPackage | undefined {
  const manifest = readManifest(join(folder, 'package.json'));
  if (!manifest) return undefined;
  const { name, version, peerDependencies, peerDependenciesMeta } = manifest;
  const real = realpathSync(folder);
  const entry = packageEntry(manifest);
  const optional = (peer: string): boolean => isFields(peerDependenciesMeta) && isFields(peerDependenciesMeta[peer]) && peerDependenciesMeta[peer]['optional'] === true;
  const peers = isFields(peerDependencies) ? Object.entries(peerDependencies).filter(([peer]) => !optional(peer)) : [];
  return {
    folder: real,
    name: String(name),
    version: String(version),
    entry: entry === undefined ? undefined : join(real, entry),
    peers: Object.fromEntries(peers.map(([peer, range]) => [peer, String(range)])),
  };
}

/** Whether a folder is one at all. */
export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function readManifest(path: string): Record<string, unknown> | undefined {
  try {
    const manifest: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return isFields(manifest) ? manifest : undefined;
  } catch {
    // Not there or damaged: as good as not installed, which is what its finder says.
    return undefined;
  }
}
