import type { Incompatibility, ModuleDefinition } from '@edge/core';

/** Modules that fit together as far as choice goes, and all that was found wrong on the way. */
export interface Fitted {
  readonly modules: readonly ModuleDefinition[];
  /** Roles whose chosen module was left out. */
  readonly left: ReadonlySet<string>;
  readonly problems: readonly Incompatibility[];
}

/**
 * Puts chosen modules into the places of built-in ones, new roles at the end; those with a part in a problem are left out
 * again, until none of them has one. Problems among built-in modules alone remain. Pure.
 * @param check what is wrong with a set of modules
 */
export function fit(builtIn: readonly ModuleDefinition[], chosen: readonly ModuleDefinition[], check: (modules: readonly ModuleDefinition[]) => readonly Incompatibility[]): Fitted {
  const problems = new Map<string, Incompatibility>();
  const left = new Set<string>();
  for (;;) {
    const used = chosen.filter((module) => !left.has(module.name));
    const modules = merge(builtIn, used);
    const found = check(modules);
    for (const problem of found) problems.set(problem.text, problem);
    const offenders = used.filter((module) => found.some(({ roles }) => roles.includes(module.name)));
    if (offenders.length === 0) return { modules, left, problems: [...problems.values()] };
    for (const module of offenders) left.add(module.name);
  }
}

function merge(builtIn: readonly ModuleDefinition[], chosen: readonly ModuleDefinition[]): ModuleDefinition[] {
  const byRole = new Map(chosen.map((module) => [module.name, module]));
  const added = chosen.filter((module) => !builtIn.some((other) => other.name === module.name));
  return [...builtIn.map((module) => byRole.get(module.name) ?? module), ...added];
}
