import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { workerCode } from '../../../../tools/worker-code.mjs';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
let built: Promise<string> | undefined;

/** The program of all parts, built once. */
function program(): Promise<string> {
  const outfile = here(`../../node_modules/.cache/edgemesh-test/parts-${process.pid}.mjs`);
  built ??= build({
    entryPoints: [here('./parts.program.ts')], outfile, bundle: true, platform: 'node', format: 'esm', target: 'node20', logLevel: 'error',
    tsconfig: here('../../../../tsconfig.base.json'), external: ['bufferutil', 'utf-8-validate'], plugins: [workerCode()],
    banner: { js: "import { createRequire as __cr } from 'node:module'; const require = __cr(import.meta.url);" },
  }).then(() => outfile);
  return built;
}

/** A program in a network namespace that answers questions. */
export class Program implements AsyncDisposable {
  readonly child: ChildProcess;
  #asked = 0;

  private constructor(child: ChildProcess) {
    this.child = child;
    child.setMaxListeners(0);
  }

  /** @param within a command, with its arguments, that runs it */
  static async start(network: string, within: readonly string[] = []): Promise<Program> {
    const child = spawn('ip', ['netns', 'exec', network, ...within, process.execPath, await program()], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    return new Program(child);
  }

  /** Rejects with what the other side says when it fails. */
  ask<T>(what: string, question: object = {}): Promise<T> {
    const id = (this.#asked += 1);
    return new Promise((resolve, reject) => {
      const onExit = (code: number | null): void => settle(() => reject(new Error(`the program ended with ${code ?? 'a signal'}, asked to ${what}`)));
      const onMessage = (answer: unknown): void => {
        const { id: of, value, error } = answer as { id: number; value?: T; error?: string };
        if (of === id) settle(() => (error === undefined ? resolve(value as T) : reject(new Error(error))));
      };
      const settle = (outcome: () => void): void => {
        this.child.off('exit', onExit).off('message', onMessage);
        outcome();
      };
      this.child.on('exit', onExit).on('message', onMessage);
      this.child.send({ id, what, ...question });
    });
  }

  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill(signal);
    await gone;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end('SIGKILL');
  }
}
