import type { ModuleDefinition } from '@edge/core';
import type { LoadedModules, ModuleProblem } from './load-modules.js';

/** A role that is not played as the role file wants it. */
export interface Standing {
  /** Stays the same from version to version of the agent: `role edgehub`. */
  readonly what: string;
  readonly why: string;
}

/**
 * What of the problems at the start still holds for the modules as they are now: a role that was swapped since is played as wanted,
 * and a newer version of the same package is no loss. Pure.
 */
export function standing({ modules, problems }: Pick<LoadedModules, 'modules' | 'problems'>, now: readonly ModuleDefinition[]): Standing[] {
  const same = (role: string): boolean => modules.find(({ name }) => name === role) === now.find(({ name }) => name === role);
  return problems.filter(({ roles, superseded }) => superseded !== true && (roles.length === 0 || roles.some(same))).map(standingOf);
}

function standingOf({ module, text, instead }: ModuleProblem): Standing {
  return { what: module === '' ? 'role file' : `role ${module}`, why: instead === undefined ? text : `${text}; ${instead}` };
}
