import type { ContractVersions, ModuleDefinition } from '@edge/core';
import type { LoadedModules } from './load-modules.js';
import type { RoleFile } from './role-file.js';
import type { UnusedPackage } from './unused-packages.js';

/** What is known of the modules of an agent. */
export interface ModulesFacts {
  readonly loaded: LoadedModules;
  readonly contract: ContractVersions;
  readonly roleFile: RoleFile;
  readonly unused: readonly UnusedPackage[];
  /** Whether the configuration switches a module on; undefined without a configuration, or one that the module refuses. */
  readonly enabled: (module: ModuleDefinition) => boolean | undefined;
}

/** The facts as JSON for programs. */
export function modulesJson({ loaded, contract, roleFile, unused, enabled }: ModulesFacts): string {
  const modules = loaded.modules.map((module, index) => {
    const { name, packageName, version, requires, wire, after } = module;
    const { kind = 'built-in', folder } = loaded.origins[index] ?? {};
    return { name, package: packageName, version, requires, wire, after, origin: { kind, ...(folder === undefined ? {} : { folder }) }, enabled: enabled(module) };
  });
  return `${JSON.stringify({ contract, roleFile: { path: roleFile.path, exists: roleFile.exists }, modules, problems: loaded.problems, unused }, undefined, 2)}\n`;
}

/** The facts as a table for people. */
export function modulesTable({ loaded, contract, roleFile, enabled }: ModulesFacts): string {
  const states = loaded.modules.map((module) => ({ true: 'on', false: 'off', undefined: '-' })[`${enabled(module)}`]);
  const rows = [
    ['ROLE', 'PACKAGE', 'VERSION', 'NEEDS', 'STATE', 'FROM'],
    ...loaded.modules.map((module, index) => [module.name, module.packageName, module.version, ranges(module.requires), states[index] ?? '-', loaded.origins[index]?.folder ?? 'built-in']),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const lines = rows.map((row) => `${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()}\n`).join('');
  return `${lines}\ncontract: ${ranges(contract)}\nrole file: ${roleFile.path}${roleFile.exists ? '' : ' (none)'}\n`;
}

function ranges(needs: Readonly<Record<string, string>>): string {
  const all = Object.entries(needs).map(([name, range]) => `${name} ${range}`);
  return all.length === 0 ? '-' : all.join(', ');
}
