import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  /** What went to the standard output, then what went to the error output. */
  readonly output: string;
}

/** Runs a command to its end, as one that is typed by hand; never rejects. */
export async function run(command: string, args: readonly string[], cwd: string, more: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  const env = { ...process.env, NX_DAEMON: 'false', NX_TUI: 'false', VITEST: undefined, NODE_OPTIONS: undefined, NODE_ENV: undefined, ...more };
  const outcome = promisify(execFile)(command, args, { cwd, env, maxBuffer: 2 ** 26 });
  const { code = 0, stdout, stderr } = (await outcome.catch((error: unknown) => error)) as { code?: number; stdout: string; stderr: string };
  return { status: code, output: `${stdout}\n${stderr}`, stdout };
}

/** Resolves with the standard output of a command that has to end well. */
export async function mustRun(command: string, args: readonly string[], cwd: string, more: NodeJS.ProcessEnv = {}): Promise<string> {
  const { status, output, stdout } = await run(command, args, cwd, more);
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}:\n${output}`);
  return stdout;
}
