import { EdgeError } from '@edge/core';

/** Codes of problems with the role file and with modules that it names. What follows the dot is `problem` of an Incompatibility. */
export const ModuleErrors = {
  /** The role file, or one entry of it, cannot be read. */
  roleFile: 'modules.role-file',
  /** The package is not where it was looked for. */
  notInstalled: 'modules.not-installed',
  /** It is there in another version than the role file says. */
  version: 'modules.version',
  /** A package that it needs is not there. */
  missingPeer: 'modules.missing-peer',
  /** Its code cannot be read, or throws while it is read. */
  load: 'modules.load',
  /** It exports nothing that is a module. */
  noModule: 'modules.no-module',
  /** It exports several modules and none of them as default. */
  severalModules: 'modules.several-modules',
  /** It is a module for another role. */
  wrongRole: 'modules.wrong-role',
} as const;

export type ModuleErrorCode = (typeof ModuleErrors)[keyof typeof ModuleErrors];

export function moduleError(code: ModuleErrorCode, message: string, cause?: unknown): EdgeError {
  return new EdgeError(code, message, cause === undefined ? undefined : { cause });
}
