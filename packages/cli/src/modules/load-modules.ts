import { checkModules, checkSlices, CONTRACT_VERSIONS, errorCode, errorText, satisfies, type ContractVersions, type Incompatibility, type ModuleDefinition } from '@edge/core';
import { fit } from './fit.js';
import { loadModule, PROGRAM_FOLDER, type LoadedModule } from './load-module.js';
import type { RoleFile } from './role-file.js';
import { withSettings } from './with-settings.js';

type Config = Readonly<Record<string, unknown>>;

/** Where the module of a role comes from. */
export interface Origin {
  readonly role: string;
  readonly kind: 'built-in' | 'package';
  readonly package: string;
  readonly version: string;
  /** Folder of the package; a built-in module has none. */
  readonly folder?: string;
}

/** Something wrong with the modules that a role file asks for, or with all of them together. */
export interface ModuleProblem extends Incompatibility {
  /** What the agent does instead; absent when it does not start with this. */
  readonly instead?: string;
  /** True when the built-in module is the same package in a newer version: nothing is lost by it. */
  readonly superseded?: boolean;
}

/** The modules to run, with those of the role file in their places. */
export interface LoadedModules {
  readonly modules: readonly ModuleDefinition[];
  /** One for each module, in the same order. */
  readonly origins: readonly Origin[];
  readonly problems: readonly ModuleProblem[];
  /** The configuration with the settings of the role file in it. */
  readonly config: Config;
}

export interface LoadOptions {
  /** Versions of the contract in this process. */
  readonly contract?: ContractVersions;
  /** The whole configuration: modules that refuse their slices are found, too. */
  readonly config?: Config;
  /** Folder of the program, from where packages are found. */
  readonly installedAt?: string;
}

/**
 * Loads what a role file names, and checks all modules together. What cannot be used is left out: the built-in module
 * plays its role then, if there is one (docs/adr/0033-roles.md). Never throws.
 */
export async function loadModules(builtIn: readonly ModuleDefinition[], roleFile: RoleFile, options: LoadOptions = {}): Promise<LoadedModules> {
  const { contract = CONTRACT_VERSIONS, config, installedAt = PROGRAM_FOLDER } = options;
  const instead = (role: string): string => (builtIn.some(({ name }) => name === role) ? `the built-in module plays ${role}` : `${role} does not run`);
  const problems: ModuleProblem[] = roleFile.problems.map(({ role, text }) =>
    problemOf('role-file', role ?? '', `${roleFile.path}: ${text}`, role === undefined ? 'what can be read of it counts' : instead(role)),
  );
  const loaded: LoadedModule[] = [];
  const attempts = await Promise.allSettled([...roleFile.entries].map(async ([role, entry]) => ({ role, entry: await loadModule(role, entry, installedAt) })));
  [...roleFile.entries.keys()].forEach((role, index) => {
    const attempt = attempts[index];
    if (attempt?.status === 'fulfilled') loaded.push(attempt.value.entry);
    else problems.push(problemOf(errorCode(attempt?.reason).replace(/^modules\./, ''), role, errorText(attempt?.reason), instead(role)));
  });

  // The settings of a role file are for the module that it names, not for one that plays the role instead.
  const configFor = (modules: readonly ModuleDefinition[]): Config =>
    loaded.reduce((tree, { module }) => withSettings(tree, module, modules.includes(module) ? roleFile.entries.get(module.name)?.settings : undefined), config ?? {});
  const check = (modules: readonly ModuleDefinition[]): Incompatibility[] => {
    const found = checkModules(modules, contract);
    const sound = modules.filter(({ name }) => !found.some(({ roles }) => roles.includes(name)));
    return config === undefined ? found : [...found, ...checkSlices(sound, configFor(sound))];
  };
  const fitted = fit(builtIn, loaded.map(({ module }) => module), check);
  for (const problem of fitted.problems) {
    const roles = problem.roles.filter((role) => fitted.left.has(role));
    const superseded = roles.length > 0 && roles.every((role) => supersededBy(builtIn, loaded.find(({ module }) => module.name === role)));
    problems.push({ ...problem, ...(roles[0] === undefined ? {} : { module: roles[0], instead: roles.map(instead).join(', ') }), ...(superseded ? { superseded } : {}) });
  }
  return { modules: fitted.modules, origins: fitted.modules.map((module) => originOf(module, loaded)), problems, config: configFor(fitted.modules) };
}

function originOf(module: ModuleDefinition, loaded: readonly LoadedModule[]): Origin {
  const source = loaded.find((candidate) => candidate.module === module)?.package;
  if (!source) return { role: module.name, kind: 'built-in', package: module.packageName, version: module.version };
  return { role: module.name, kind: 'package', package: source.name, version: source.version, folder: source.folder };
}

/** An older version of what is built in, which somebody put in before the agent was updated. */
function supersededBy(builtIn: readonly ModuleDefinition[], loaded: LoadedModule | undefined): boolean {
  const own = builtIn.find(({ name }) => name === loaded?.module.name);
  return own !== undefined && own.packageName === loaded?.package.name && satisfies(own.version, `>=${loaded.package.version}`) === true;
}

function problemOf(problem: string, module: string, text: string, instead: string): ModuleProblem {
  return { problem, module, roles: module === '' ? [] : [module], text, instead };
}
