import { EdgeError } from '@edge/core';

/** Codes of this package: what each one means. The texts are the reasons that stand in the job. */
export const TaskErrors = {
  /** What the cloud sent is no job of a kind that is known here. */
  unknownJob: 'taskmanager.unknown-job',
  /** A job says something that cannot be meant. */
  badSpec: 'taskmanager.bad-spec',
  /** The node is not fit for the job now. */
  check: 'taskmanager.check',
  /** What was asked of another module was refused. */
  refused: 'taskmanager.refused',
} as const;

export function taskError(code: (typeof TaskErrors)[keyof typeof TaskErrors], message: string, cause?: unknown): EdgeError {
  return new EdgeError(code, message, cause === undefined ? undefined : { cause });
}
