import { dirname } from 'node:path';
import { findPackages } from './find-package.js';
import { PROGRAM_FOLDER } from './load-module.js';
import type { Origin } from './load-modules.js';

/** Another version of a built-in module that lies beside the agent and that it does not use. */
export interface UnusedPackage {
  readonly role: string;
  readonly package: string;
  readonly version: string;
  readonly folder: string;
  /** What is used instead, and what to do. */
  readonly text: string;
}

/**
 * Versions of built-in modules that somebody has installed beside the agent without an effect: npm leaves a version that the
 * program does not ask for where it was put, and gives the program one of its own; and a program of one file has them inside.
 */
export function unusedPackages(origins: readonly Origin[], roleFilePath: string, installedAt: string = PROGRAM_FOLDER): UnusedPackage[] {
  return origins
    .filter(({ kind }) => kind === 'built-in')
    .flatMap(({ role, package: name, version: used }) =>
      findPackages(name, installedAt)
        .filter(({ name: found, version }) => found === name && version !== used)
        .map(({ version, folder }) => ({
          role,
          package: name,
          version,
          folder,
          text: `${name} ${version} lies in ${folder} and is not used, this agent was made for ${used}: to use it, write "${role}: { package: '${name}', folder: '${installationOf(folder, name)}' }" below "modules" in ${roleFilePath}; else remove it`,
        })),
    );
}

/** The folder whose `node_modules` holds the package. */
function installationOf(folder: string, name: string): string {
  return dirname(name.split('/').reduce((at) => dirname(at), folder));
}
