import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What an installation of the agent may be at most, Node.js itself left out. */
export const MOST_PACKAGES = 60;
export const MOST_MEGABYTES = 60;

/** A package on the disk. */
export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  /** Sum of the lengths of its files. */
  readonly bytes: number;
  readonly files: number;
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

/**
 * A package and all that an installation of it brings, the largest first. Counted where npm has put it, so what else lies in the
 * folder does not matter.
 * @param folder has `node_modules`
 */
export function footprint(folder: string, top: string): InstalledPackage[] {
  const found = new Map<string, Manifest>();
  const open: (readonly [name: string, from: string])[] = [[top, folder]];
  for (let next = open.pop(); next; next = open.pop()) {
    const place = resolvePackage(...next);
    if (place === undefined || found.has(place)) continue;
    const manifest = JSON.parse(readFileSync(join(place, 'package.json'), 'utf8')) as Manifest;
    found.set(place, manifest);
    for (const name of needs(manifest)) open.push([name, place]);
  }
  if (found.size === 0) throw new Error(`${top} is not installed in ${folder}`);
  return [...found].map(([place, { name, version }]) => ({ name, version, ...measure(place) })).sort((one, other) => other.bytes - one.bytes);
}

export function megabytes(packages: readonly InstalledPackage[]): number {
  return packages.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6;
}

function needs({ dependencies, optionalDependencies, peerDependencies = {}, peerDependenciesMeta = {} }: Manifest): string[] {
  return [...Object.keys({ ...dependencies, ...optionalDependencies }), ...Object.keys(peerDependencies).filter((name) => peerDependenciesMeta[name]?.optional !== true)];
}

/** As Node.js looks for it; an optional one for another platform is not there. */
function resolvePackage(name: string, from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const place = join(folder, 'node_modules', name);
    if (existsSync(join(place, 'package.json'))) return place;
    if (folder === dirname(folder)) return undefined;
  }
}

/** Packages inside of a package are counted for themselves. */
function measure(folder: string): { bytes: number; files: number } {
  const sum = { bytes: 0, files: 0 };
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === 'node_modules') continue;
    const path = join(folder, entry.name);
    const inside = entry.isDirectory() ? measure(path) : { bytes: statSync(path).size, files: 1 };
    sum.bytes += inside.bytes;
    sum.files += inside.files;
  }
  return sum;
}
