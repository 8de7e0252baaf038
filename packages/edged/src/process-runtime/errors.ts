import { EdgeError } from '@edge/core';

/** Every error code of the process runtime. */
export const RuntimeErrors = {
  /** No sandbox or container has this id. */
  notFound: 'runtime.not-found',
  /** A sandbox or container of the same name and attempt exists. */
  exists: 'runtime.exists',
  /** The sandbox was stopped; it takes no new containers. */
  sandboxNotReady: 'runtime.sandbox-not-ready',
  /** The configuration holds something that no process can be given. */
  invalidConfig: 'runtime.invalid-config',
  /** Neither command nor args, and there is no image to take them from. */
  noCommand: 'runtime.no-command',
  /** The container is in a state that does not allow the call. */
  wrongState: 'runtime.wrong-state',
  /** The command could not be started. */
  startFailed: 'runtime.start-failed',
  /** The command of an exec could not be started. */
  execFailed: 'runtime.exec-failed',
  /** The command of an exec did not end in time. */
  execTimeout: 'runtime.exec-timeout',
  /** This instance was disposed of. */
  closed: 'runtime.closed',
} as const;

export function notFound(what: 'sandbox' | 'container', id: string): EdgeError {
  return new EdgeError(RuntimeErrors.notFound, `${what} ${id} does not exist`);
}
