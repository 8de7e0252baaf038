import { copyFile, cp, mkdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { EdgeError, errorCode } from '@edge/core';
import { TOP_PACKAGE } from '@edge/upgrade';
import { AGENT_VERSION } from '../version.js';
import { IS_ONE_FILE } from './one-file.js';

interface Manifest {
  readonly name?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** A package on the disk. */
interface Found {
  readonly folder: string;
  readonly manifest: Manifest;
}

/** The one library with native code; a program in one file leaves it outside. */
const NATIVE = 'libsql';

/**
 * Copies the program that runs, with all that it needs, into an empty folder, laid out as npm would: what it installs works
 * without a network, and is the very program that was asked.
 * @param program path of its main file, as in `process.argv[1]`
 * @param oneFile whether it is built as one file, which needs no package around it
 * @throws EdgeError `cli.install` when the program does not lie in a package
 */
export async function copyOwnProgram(program: string, target: string, oneFile = IS_ONE_FILE): Promise<void> {
  const main = await realpath(program);
  if (oneFile) return copyOneFile(main, target);
  const top = await packageAbove(dirname(main));
  if (top?.manifest.name !== TOP_PACKAGE) throw new EdgeError('cli.install', `${main} is not part of the package ${TOP_PACKAGE}, so it cannot be copied; give --from or --registry to install it from there`);
  for (const { folder, to } of await closure(top)) await copyPackage(folder, join(target, to));
}

async function copyOneFile(main: string, target: string): Promise<void> {
  const place = join(target, 'node_modules', TOP_PACKAGE);
  for (const { folder, to } of await besideOneFile(main)) await copyPackage(folder, join(target, to));
  await mkdir(join(place, 'dist'), { recursive: true });
  await copyFile(main, join(place, 'dist', 'main.js'));
  await writeFile(join(place, 'package.json'), `${JSON.stringify({ name: TOP_PACKAGE, version: AGENT_VERSION, type: 'module' })}\n`);
}

interface Copy {
  readonly folder: string;
  /** Below the target. */
  readonly to: string;
}

/** The package and all that it depends on, each at the place where npm has put it. */
async function closure(top: Found): Promise<Copy[]> {
  const base = top.folder.slice(0, top.folder.indexOf('/node_modules/'));
  const found = await reach(top);
  const outside = [...found.keys()].find((folder) => !folder.startsWith(`${base}/node_modules/`));
  if (outside !== undefined) throw new EdgeError('cli.install', `${outside}, which the program needs, does not lie below ${base}/node_modules: packages that are links cannot be copied`);
  return [...found.keys()].map((folder) => ({ folder, to: folder.slice(base.length + 1) }));
}

/** What a program in one file has outside of it; nothing where Node.js has a SQLite of its own and the library is not there. */
async function besideOneFile(main: string): Promise<Copy[]> {
  const native = await resolvePackage(NATIVE, dirname(main));
  if (!native) return [];
  const base = native.folder.slice(0, native.folder.lastIndexOf(`/node_modules/${NATIVE}`));
  return [...(await reach(native)).keys()].map((folder) => ({ folder, to: folder.slice(base.length + 1) }));
}

/** All packages that a package needs and that are there, itself first. */
async function reach(top: Found): Promise<Map<string, Manifest>> {
  const found = new Map([[top.folder, top.manifest]]);
  const open = [top];
  for (let next = open.pop(); next; next = open.pop()) {
    const { dependencies, optionalDependencies, peerDependencies } = next.manifest;
    // Optional ones are not there for other platforms; npm has seen to it that the others are.
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })) {
      const needed = await resolvePackage(name, next.folder);
      if (!needed || found.has(needed.folder)) continue;
      found.set(needed.folder, needed.manifest);
      open.push(needed);
    }
  }
  return found;
}

/** As Node.js looks for a package: in each folder above. */
async function resolvePackage(name: string, from: string): Promise<Found | undefined> {
  for (let folder = from; ; folder = dirname(folder)) {
    const found = await packageAt(join(folder, 'node_modules', name));
    if (found) return found;
    if (folder === dirname(folder)) return undefined;
  }
}

async function packageAbove(start: string): Promise<Found | undefined> {
  for (let folder = start; ; folder = dirname(folder)) {
    const found = await packageAt(folder);
    if (found?.manifest.name !== undefined) return found;
    if (folder === dirname(folder)) return undefined;
  }
}

async function packageAt(folder: string): Promise<Found | undefined> {
  try {
    return { folder: await realpath(folder), manifest: JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest };
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** Without the packages inside of it, which are copied when they are needed. */
async function copyPackage(folder: string, target: string): Promise<void> {
  const nested = join(folder, 'node_modules');
  await cp(folder, target, { recursive: true, dereference: true, filter: (source) => source !== nested });
}
