import { dirname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { errorCode, errorText, isAbort, MODULE_BRAND, satisfies, withTimeout, type ModuleDefinition } from '@edge/core';
import { isFields } from '@edge/protocol';
import { ModuleErrors, moduleError } from './errors.js';
import { findPackage, isFolder, readPackage, type FoundPackage } from './find-package.js';
import type { RoleEntry } from './role-document.js';

/** A module from a package, and where that lies. */
export interface LoadedModule {
  readonly module: ModuleDefinition;
  readonly package: FoundPackage;
}

/** Milliseconds that the code of a module may take to load; more is a module that waits for something at its top level. */
const LOAD_TIMEOUT_MS = 30_000;

/** Folder of the running program, from where packages without a folder of their own are found. */
export const PROGRAM_FOLDER = dirname(fileURLToPath(import.meta.url));

/**
 * Loads the module that plays a role from a package.
 * @param installedAt folder of the program
 * @param signal gives up to wait for its code
 * @throws EdgeError with a code of `ModuleErrors`; its text names role, package, place, and what would be right; `core.aborted`
 */
export async function loadModule(role: string, entry: RoleEntry, installedAt: string = PROGRAM_FOLDER, signal?: AbortSignal): Promise<LoadedModule> {
  const found = locate(role, entry, installedAt);
  const label = `${found.name} ${found.version} in ${found.folder}, which is to play ${role},`;
  const missing = Object.entries(found.peers).filter(([peer]) => !findPackage(peer, found.folder));
  if (missing.length > 0) {
    const wanted = missing.map(([peer, range]) => `${peer}@"${range}"`).join(' ');
    throw moduleError(ModuleErrors.missingPeer, `${label} needs ${wanted}, which is not installed beside it: npm install ${wanted} there`);
  }
  if (found.entry === undefined) throw moduleError(ModuleErrors.noModule, `${label} has nothing to import: its package.json needs "exports" with "." in it`);
  const exported = await read(found.entry, label, signal);
  return { module: pick(role, exported, found, label), package: found };
}

function locate(role: string, entry: RoleEntry, installedAt: string): FoundPackage {
  const { package: name, folder, version } = entry;
  if (folder !== undefined && !isFolder(folder)) throw moduleError(ModuleErrors.notInstalled, `the folder ${folder} of ${name}, which is to play ${role}, does not exist: install the package there, or take the entry away`);
  const itself = folder === undefined ? undefined : readPackage(folder);
  const found = itself?.name === name ? itself : folder === undefined ? findPackage(name, installedAt) : readPackage(`${folder}/node_modules/${name}`);
  if (!found) {
    const advice = folder === undefined ? `npm install ${name} where the agent is installed (${installedAt}), or give its "folder"` : `npm install --prefix ${folder} ${name}`;
    throw moduleError(ModuleErrors.notInstalled, `${name}, which is to play ${role}, is not installed in ${folder ?? installedAt}: ${advice}`);
  }
  if (version !== undefined && satisfies(found.version, version) !== true) {
    throw moduleError(ModuleErrors.version, `${name}, which is to play ${role}, is to be version ${version}, but ${found.folder} has ${found.version}: install ${name}@${version} there, or write ${found.version}`);
  }
  return found;
}

async function read(file: string, label: string, signal: AbortSignal | undefined): Promise<Record<string, unknown>> {
  try {
    // The name comes from a file of this machine, so no bundler can follow it.
    return await withTimeout(import(pathToFileURL(file).href) as Promise<Record<string, unknown>>, LOAD_TIMEOUT_MS, () =>
      moduleError(ModuleErrors.load, `it was not read within ${LOAD_TIMEOUT_MS} ms: its code must not wait for anything while it is read`),
      signal,
    );
  } catch (cause) {
    if (signal?.aborted && isAbort(cause)) throw cause;
    const [, absent] = /^Cannot find package '([^']+)'/.exec(errorText(cause)) ?? [];
    if (errorCode(cause) === 'ERR_MODULE_NOT_FOUND' && absent !== undefined) {
      throw moduleError(ModuleErrors.missingPeer, `${label} imports ${absent}, which is not installed: install ${absent} there, and have the package name it among its dependencies`, cause);
    }
    throw moduleError(ModuleErrors.load, `${label} cannot be loaded: mend it, or install another version of it`, cause);
  }
}

function pick(role: string, exported: Readonly<Record<string, unknown>>, found: FoundPackage, label: string): ModuleDefinition {
  const { default: main } = exported;
  // A package of CommonJS has all that it exports in its default.
  const all = isModule(main) ? [main] : [...Object.values(exported), ...(isFields(main) ? Object.values(main) : [])].filter(isModule);
  const modules = [...new Set(all)];
  const [module] = modules;
  if (!module) throw moduleError(ModuleErrors.noModule, `${label} exports no module: its main file must export what defineModule() returns`);
  if (modules.length > 1) {
    throw moduleError(ModuleErrors.severalModules, `${label} exports several modules (${modules.map(({ name }) => name).join(', ')}): it must export one of them as default`);
  }
  if (module.name !== role) {
    throw moduleError(ModuleErrors.wrongRole, `${label} is a module for the role ${module.name}: write "${module.name}: ${found.name}", or name a package for ${role}`);
  }
  return module;
}

function isModule(value: unknown): value is ModuleDefinition {
  return typeof value === 'object' && value !== null && isFields((value as Partial<ModuleDefinition>).manifest) && (value as ModuleDefinition).manifest.brand === MODULE_BRAND;
}
