import type { ContainerConfig, ExecResult } from '@edge/core';

/** What a container of the memory runtime does. */
export interface MemoryBehaviour {
  /** Ends by itself with this code after the time; without it the container runs until it is stopped. */
  readonly exit?: { readonly code: number; readonly afterMs: number };
  /** What SIGTERM does. Without it: ends at once with 143. */
  readonly onTerm?: { readonly code: number; readonly afterMs: number } | 'ignored';
  /** `startContainer` fails with this message and leaves a container that ended with `StartError`. */
  readonly startError?: string;
}

/**
 * The default: reads behaviour from the words of the command.
 * `exit <code> [<ms>]` · `polite <code> [<ms>]` (ends so on SIGTERM) · `stubborn` (ignores SIGTERM) · `missing`
 * (cannot be started) · anything else runs until it is stopped.
 */
export function behaviourOfCommand(config: ContainerConfig): MemoryBehaviour {
  const [word, code, ms] = [...config.command, ...config.args];
  switch (word) {
    case 'exit':
      return { exit: { code: Number(code), afterMs: Number(ms ?? 0) } };
    case 'polite':
      return { onTerm: { code: Number(code), afterMs: Number(ms ?? 0) } };
    case 'stubborn':
      return { onTerm: 'ignored' };
    case 'missing':
      return { startError: 'exec: "missing": executable file not found in $PATH' };
    default:
      return {};
  }
}

/** What an exec does: its result, and how long it takes. */
export interface MemoryExec extends ExecResult {
  readonly afterMs: number;
}

/** The default: `print <stdout> <stderr> <code>` · `sleep <ms>` · anything else succeeds silently. */
export function execOfCommand(command: readonly string[]): MemoryExec {
  const [word, first = '', second = '', code = '0'] = command;
  const result = (stdout: string, stderr: string, exitCode: number, afterMs: number): MemoryExec => ({
    stdout: Buffer.from(stdout),
    stderr: Buffer.from(stderr),
    exitCode,
    afterMs,
  });
  if (word === 'print') return result(first, second, Number(code), 0);
  if (word === 'sleep') return result('', '', 0, Number(first));
  return result('', '', 0, 0);
}
