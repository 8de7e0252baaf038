import { MODULE_BRAND, MODULE_SHAPE, type ModuleDefinition } from '../module.js';
import { circleOf, circleText } from '../supervisor/order.js';
import type { ContractVersions } from './contract.js';
import { missingParts } from './missing-parts.js';
import { liesBelow, sameLine, satisfies } from './semver.js';

/** Something that keeps a set of modules from running together. */
export interface Incompatibility {
  /**
   * `not-a-module`, `shape`, `incomplete`, `too-old`, `too-new` (the module, for this agent), `not-there` (a package of
   * the contract), `unreadable-range`, `copy` (of the contract, of another line), `role`, `wire-name`, `cycle`, `config`.
   * Who loads modules has further ones.
   */
  readonly problem: string;
  /** Role of the module that has it. */
  readonly module: string;
  /** All roles that take part: leaving one of them out ends it. */
  readonly roles: readonly string[];
  /** One sentence: what is wrong and what would be right. */
  readonly text: string;
}

/** Checks all modules against the contract and each other, before anything starts. Empty when they fit. */
export function checkModules(modules: readonly unknown[], contract: ContractVersions): Incompatibility[] {
  const problems: Incompatibility[] = [];
  const known: ModuleDefinition[] = [];
  for (const candidate of modules) {
    const problem = recognise(candidate);
    if (problem) problems.push(problem);
    else known.push(candidate as ModuleDefinition);
  }
  for (const module of known) problems.push(...copyProblems(module, contract), ...rangeProblems(module, contract));
  problems.push(...taken(known, 'role', (module) => module.name), ...taken(known, 'wire-name', (module) => module.wire.module));
  const circle = circleOf(known);
  if (circle?.[0] !== undefined) problems.push({ problem: 'cycle', module: circle[0], roles: circle, text: circleText(circle) });
  return problems;
}

function recognise(candidate: unknown): Incompatibility | undefined {
  const { name, manifest } = (candidate ?? {}) as { name?: unknown; manifest?: Partial<ModuleDefinition['manifest']> };
  const label = typeof name === 'string' ? name : '(unnamed)';
  if (manifest?.brand !== MODULE_BRAND) return problemOf('not-a-module', label, `${label} is no module: its main export must come from defineModule()`);
  const { shape } = manifest;
  if (shape !== MODULE_SHAPE) {
    const advice = typeof shape === 'number' && shape > MODULE_SHAPE ? 'update the agent' : 'update the module';
    return problemOf('shape', label, `${label} has module shape ${String(shape)}, this agent knows shape ${MODULE_SHAPE}: ${advice}`);
  }
  const missing = missingParts(candidate as object);
  if (missing.length === 0) return undefined;
  return problemOf('incomplete', label, `${label} is no whole module, it lacks ${missing.join(', ')}: make it with defineModule() and all that its type asks for`);
}

/** A copy of its own is as good as the agent's while both are of one line; it shares tokens and messages with it then. */
function copyProblems(module: ModuleDefinition, contract: ContractVersions): Incompatibility[] {
  const { contract: own = {} } = module.manifest as Partial<ModuleDefinition['manifest']>;
  const [foreign] = Object.entries(own).filter(([name, version]) => contract[name] !== undefined && !sameLine(version, contract[name]));
  if (!foreign) return [];
  const [name, version] = foreign;
  const agents = contract[name] ?? '';
  return [problemOf('copy', module.name, `${labelOf(module)} brings a copy of ${name} ${version}, this agent has ${agents}: the two do not understand each other; install ${name} ^${agents} where ${module.packageName} is installed`)];
}

function rangeProblems(module: ModuleDefinition, contract: ContractVersions): Incompatibility[] {
  return Object.entries(module.requires).flatMap(([packageName, range]) => {
    const version = contract[packageName];
    const label = labelOf(module);
    const needs = `${label} needs ${packageName} ${range}`;
    if (version === undefined) return [problemOf('not-there', module.name, `${needs}, which is not there: install it beside the agent`)];
    const fits = satisfies(version, range);
    if (fits === undefined) {
      return [problemOf('unreadable-range', module.name, `${label} states the range "${range}" for ${packageName}, which cannot be read; it must be like ^${version}`)];
    }
    if (fits) return [];
    if (liesBelow(version, range)) return [problemOf('too-new', module.name, `${needs}, this agent has ${version}: update the agent, or install an older version of ${module.packageName}, made for ${version}`)];
    return [problemOf('too-old', module.name, `${needs}, this agent has ${version}: install a newer version of ${module.packageName}, made for ${version}`)];
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
    return [{ problem, module: module.name, roles: [other.name, module.name], text: `${module.packageName} and ${other.packageName} both want to be "${key(module)}": keep one of them` }];
  });
}

function labelOf(module: ModuleDefinition): string {
  return `${module.packageName} ${module.version}`;
}

function problemOf(problem: string, module: string, text: string): Incompatibility {
  return { problem, module, roles: [module], text };
}
