import { execFile } from 'node:child_process';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Where `tools/kubectls.sh` puts them. */
const CACHE = process.env['EDGE_TEST_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'edgecore-tests');
export const EXPECTED = ['kubectl-bookworm', 'kubectl-trixie'];

export interface Program {
  readonly name: string;
  readonly path: string;
}

/** The kubectls to test with: the one that `KUBECTL` names, else those of `tools/kubectls.sh`, else the one on PATH. */
export async function kubectls(): Promise<Program[]> {
  const named = process.env['KUBECTL'];
  if (named !== undefined) return [{ name: named, path: named }];
  const cached = await Promise.all(EXPECTED.map(async (name) => {
    const path = join(CACHE, name);
    return access(path).then(() => [{ name, path }], () => []);
  }));
  if (cached.flat().length > 0) return cached.flat();
  return run('kubectl', ['version', '--client']).then(() => [{ name: 'kubectl on PATH', path: 'kubectl' }], () => []);
}

/** One kubectl against one server, with a home of its own. */
export class Kubectl implements AsyncDisposable {
  private constructor(private readonly path: string, private readonly server: () => string, readonly home: string) {}

  static async open(path: string, server: () => string): Promise<Kubectl> {
    return new Kubectl(path, server, await mkdtemp(join(tmpdir(), 'metaserver-')));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.home, { recursive: true, force: true });
  }

  get environment(): NodeJS.ProcessEnv {
    return { PATH: process.env['PATH'] ?? '', HOME: this.home, KUBECONFIG: '/dev/null' };
  }

  args(...args: readonly string[]): string[] {
    return ['--server', this.server(), ...args];
  }

  /** What it prints. Rejects with what it says on standard error when it fails or takes longer than a minute. */
  async run(args: readonly string[], over: NodeJS.ProcessEnv = {}): Promise<string> {
    return (await run(this.path, this.args(...args), { env: { ...this.environment, ...over }, timeout: 60_000, killSignal: 'SIGKILL' })).stdout;
  }

  /** What it says on standard error; also when it does not fail. */
  async complaint(args: readonly string[]): Promise<string> {
    return run(this.path, this.args(...args), { env: this.environment, timeout: 60_000, killSignal: 'SIGKILL' }).then(({ stderr }) => stderr, (error: { stderr: string; killed: boolean }) => {
      if (error.killed) throw new Error(`kubectl ${args.join(' ')} hung`);
      return error.stderr;
    });
  }
}
