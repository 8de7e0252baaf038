import type { Logger, ModuleDefinition } from '@edge/core';
import { loadModules, type LoadedModules } from '../modules/load-modules.js';
import type { RoleEntry } from '../modules/role-document.js';
import { readRoleFile } from '../modules/role-file.js';

/** What was loaded, and what the role file asks for. */
export interface ChosenModules extends LoadedModules {
  readonly entries: ReadonlyMap<string, RoleEntry>;
}

/** The modules that this agent runs, by the role file beside its configuration; what cannot be used is said and does not end the start. */
export async function chooseModules(builtIn: readonly ModuleDefinition[], configPath: string, config: Readonly<Record<string, unknown>>, log: Logger): Promise<ChosenModules> {
  const roleFile = await readRoleFile(configPath);
  const loaded = await loadModules(builtIn, roleFile, { config });
  for (const { role, kind, package: name, version, folder } of loaded.origins) {
    if (kind === 'package') log.info('the role file gives a role to a package', { role, package: name, version, folder });
  }
  for (const { module, problem, text, instead, superseded } of loaded.problems) {
    // Without an "instead" there is none: the core refuses to start, with the same words.
    if (instead === undefined) continue;
    const fields = { role: module, problem, err: text, instead };
    if (superseded) log.warn('the role file names an older version than the one that is built in', fields);
    else log.error('the role file cannot be followed', fields);
  }
  return { ...loaded, entries: roleFile.entries };
}
