import { EdgeError } from '@edge/core';

/** One thing that keeps the agent from starting. No part of it ever holds a secret. */
export interface ConfigProblem {
  readonly kind: 'syntax' | 'size' | 'type' | 'value' | 'file';
  /** Dotted, upstream's spelling: `modules.edgeHub.heartbeat`. Empty for the file as a whole. */
  readonly path: string;
  /** Counted from 1; absent where no line is to blame. */
  readonly line?: number;
  /** The value as found, shortened; secrets show as `***`. */
  readonly value?: string;
  /** What would be right, as a clause: `should be from 0 to 2`. */
  readonly expected: string;
}

/** One thing that is odd and does not keep the agent from starting. */
export interface ConfigWarning {
  readonly kind: 'unknown-key' | 'duplicate-key' | 'dropped-key' | 'moved-key' | 'value' | 'more';
  readonly path: string;
  readonly line?: number;
  readonly message: string;
}

/** Stable codes: `config.invalid`, `config.missing` (no such file), `config.unreadable`, `config.unwritable`. */
export type ConfigErrorCode = 'config.invalid' | 'config.missing' | 'config.unreadable' | 'config.unwritable';

/** Everything that is wrong with a configuration, at once. The message is for people and has one line per problem. */
export class ConfigError extends EdgeError {
  override readonly name = 'ConfigError';
  declare readonly code: ConfigErrorCode;
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly ConfigWarning[];
  readonly file: string | undefined;

  constructor(
    code: ConfigErrorCode,
    problems: readonly ConfigProblem[],
    more: { readonly file?: string | undefined; readonly warnings?: readonly ConfigWarning[]; readonly cause?: unknown } = {},
  ) {
    super(code, text(problems, more.file), more.cause === undefined ? undefined : { cause: more.cause });
    this.problems = problems;
    this.warnings = more.warnings ?? [];
    this.file = more.file;
  }
}

/** `modules.eventBus.mqttMode (line 7): is 9, should be from 0 to 2`. */
export function problemText(problem: ConfigProblem): string {
  const line = problem.line === undefined ? '' : `line ${problem.line}`;
  const place = problem.path === '' ? line : line === '' ? problem.path : `${problem.path} (${line})`;
  const clause = problem.value === undefined ? problem.expected : `is ${problem.value}, ${problem.expected}`;
  return place === '' ? clause : `${place}: ${clause}`;
}

/** `modules.edgeHub.tokn (line 9): unknown key is ignored; did you mean token?`. */
export function warningText(warning: ConfigWarning): string {
  const line = warning.line === undefined ? '' : ` (line ${warning.line})`;
  return warning.path === '' ? `${warning.message}${line}` : `${warning.path}${line}: ${warning.message}`;
}

function text(problems: readonly ConfigProblem[], file: string | undefined): string {
  const subject = file === undefined ? 'the configuration' : `the configuration file ${file}`;
  const [first] = problems;
  if (problems.length === 1 && first !== undefined) return `${subject} cannot be used: ${problemText(first)}`;
  return `${subject} cannot be used, ${problems.length} problems:\n${problems.map((problem) => `  ${problemText(problem)}`).join('\n')}`;
}
