import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Logger } from '@edge/core';
import { silentLogger } from '@edge/core';
import { createProcessRuntime } from '../../src/process-runtime/index.js';
import type { ProcessRuntimeOptions } from '../../src/process-runtime/index.js';

export type OpenRuntime = Awaited<ReturnType<typeof createProcessRuntime>>;

/** A folder with a runtime in it. However a test ends, its processes are ended by pid and its folder is removed. */
export class Workshop implements AsyncDisposable {
  readonly folder: string;
  readonly #open: OpenRuntime[] = [];

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async create(): Promise<Workshop> {
    return new Workshop(await mkdtemp(join(tmpdir(), 'process-runtime-')));
  }

  get root(): string {
    return join(this.folder, 'runtime');
  }

  get logRoot(): string {
    return join(this.folder, 'logs');
  }

  async open(options: Partial<ProcessRuntimeOptions> = {}, log: Logger = silentLogger): Promise<OpenRuntime> {
    const runtime = await createProcessRuntime({ root: this.root, hostIP: '192.0.2.7', log, ...options });
    this.#open.push(runtime);
    return runtime;
  }

  /** Pids of living processes of pods of this folder, their keepers included. */
  async processes(): Promise<number[]> {
    const found: number[] = [];
    for (const name of await readdir('/proc')) {
      if (!/^\d+$/.test(name)) continue;
      const [environment, arguments_, state] = await Promise.all(
        ['environ', 'cmdline', 'stat'].map((file) => readFile(`/proc/${name}/${file}`, 'utf8').catch(() => '')),
      );
      const dead = state === '' || /\) [ZX] /.test(state ?? '');
      if (!dead && (environment?.includes(`EDGE_ROOT=${this.root}/`) || (arguments_?.startsWith('/bin/sh') && arguments_.includes(`${this.root}/`)))) found.push(Number(name));
    }
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const runtime of this.#open) await runtime[Symbol.asyncDispose]();
    for (let round = 0; round < 5; round += 1) {
      for (const pid of await this.processes()) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // It ended by itself.
        }
      }
    }
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Makes a program of a TypeScript file that plain node can run. */
export async function bundle(source: string, target: string): Promise<void> {
  const here = new URL('../../../../', import.meta.url).pathname;
  await promisify(execFile)(
    join(here, 'node_modules/.bin/esbuild'),
    [source, '--bundle', '--platform=node', '--format=esm', '--target=node20', `--tsconfig=${join(here, 'tsconfig.base.json')}`, `--outfile=${target}`, '--log-level=warning'],
    { cwd: here },
  );
}
