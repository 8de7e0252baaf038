import { MODULE_BRAND, MODULE_SHAPE, type ModuleDefinition } from '../module.js';
import { satisfies } from './semver.js';

/** Something that keeps a set of modules from running together. */
export interface Incompatibility {
  /** `shape`, `role`, `wire-name`, `range`, `unreadable-range`, `not-a-module`. */
  readonly problem: string;
  readonly module: string;
  /** One sentence: what is wrong and what would be right. */
  readonly text: string;
}

/** Versions of the contract packages in this process. */
export type ContractVersions = Readonly<Record<string, string>>;

/** Checks all modules against the contract and each other, before anything starts. Empty when they fit. */
export function checkModules(modules: readonly unknown[], contract: ContractVersions): Incompatibility[] {
  const problems: Incompatibility[] = [];
  const known: ModuleDefinition[] = [];
  for (const candidate of modules) {
    const name = (candidate as { name?: unknown } | null)?.name;
    const label = typeof name === 'string' ? name : '(unnamed)';
    const manifest = (candidate as Partial<ModuleDefinition> | null)?.manifest;
    if (manifest?.brand !== MODULE_BRAND) {
      problems.push({ problem: 'not-a-module', module: label, text: `${label} is no module: its main export must come from defineModule()` });
    } else if (manifest.shape !== MODULE_SHAPE) {
      const advice = manifest.shape > MODULE_SHAPE ? 'update the agent' : 'update the module';
      problems.push({ problem: 'shape', module: label, text: `${label} has module shape ${manifest.shape}, this agent knows shape ${MODULE_SHAPE}: ${advice}` });
    } else {
      known.push(candidate as ModuleDefinition);
    }
  }
  for (const module of known) problems.push(...rangeProblems(module, contract));
  problems.push(...taken(known, 'role', (module) => module.name), ...taken(known, 'wire-name', (module) => module.wire.module));
  return problems;
}

function rangeProblems(module: ModuleDefinition, contract: ContractVersions): Incompatibility[] {
  return Object.entries(module.requires).flatMap(([packageName, range]) => {
    const version = contract[packageName];
    const label = `${module.packageName} ${module.version}`;
    if (version === undefined) {
      return [{ problem: 'range', module: module.name, text: `${label} needs ${packageName} ${range}, which is not there: install it beside the agent` }];
    }
    const fits = satisfies(version, range);
    if (fits === undefined) {
      return [{ problem: 'unreadable-range', module: module.name, text: `${label} states the range "${range}" for ${packageName}, which cannot be read` }];
    }
    if (fits) return [];
    return [{ problem: 'range', module: module.name, text: `${label} needs ${packageName} ${range}, this agent has ${version}: install a version of ${module.packageName} made for ${version}` }];
  });
}

function taken(modules: readonly ModuleDefinition[], problem: string, key: (module: ModuleDefinition) => string): Incompatibility[] {
  const first = new Map<string, ModuleDefinition>();
  return modules.flatMap((module) => {
    const other = first.get(key(module));
    if (!other) {
      first.set(key(module), module);
      return [];
    }
    return [{ problem, module: module.name, text: `${module.packageName} and ${other.packageName} both want to be "${key(module)}": keep one of them` }];
  });
}
