import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { ReadyLine } from '../src/main-program.js';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Builds the program as one file, with native packages left outside. Gives its path. */
export async function buildProgram(): Promise<string> {
  const outfile = here('../node_modules/.cache/minicloud-test/program.mjs');
  await build({
    entryPoints: [here('./program.ts')], outfile, bundle: true, platform: 'node', format: 'esm', target: 'node20', logLevel: 'error',
    tsconfig: here('../../../tsconfig.base.json'), external: ['libsql', 'better-sqlite3', 'node:sqlite'],
    banner: { js: "import { createRequire as __cr } from 'node:module'; const require = __cr(import.meta.url);" },
  });
  return outfile;
}

export interface RunningProgram {
  readonly child: ChildProcess;
  readonly ready: ReadyLine;
  readonly startedMs: number;
}

/** Starts the program and waits for its line. */
export async function startProgram(program: string, args: readonly string[]): Promise<RunningProgram> {
  const began = performance.now();
  const child = spawn(process.execPath, [program, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
      if (out.includes('\n')) resolve(out);
    });
    child.once('exit', (code) => reject(new Error(`the program ended with ${code}: ${err}`)));
  });
  return { child, ready: JSON.parse(line) as ReadyLine, startedMs: performance.now() - began };
}

/** Ends a program and waits for it. Gives its exit code, null when a signal ended it. */
export async function endProgram(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exit = once(child, 'exit');
  child.kill(signal);
  return ((await exit) as [number | null])[0];
}
