import { spawn, spawnSync } from 'node:child_process';

/** Outcome of one call. */
export interface KubectlResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Whether a real kubectl is here. In CI it must be. */
export function hasKubectl(): boolean {
  const found = spawnSync('kubectl', ['version', '--client'], { stdio: 'ignore' }).status === 0;
  if (!found && process.env['CI']) throw new Error('kubectl is missing: CI has to install it (Debian: kubernetes-client)');
  return found;
}

/** Runs kubectl to its end and kills it after the time. */
export function kubectl(kubeconfig: string, args: readonly string[], options: { input?: string; env?: Record<string, string>; timeoutMs?: number; onOutput?: (text: string, stop: () => void) => void } = {}): Promise<KubectlResult> {
  return new Promise((resolve, reject) => {
    const child = spawn('kubectl', ['--kubeconfig', kubeconfig, ...args], { env: { ...process.env, HOME: '/nonexistent', ...options.env } });
    const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 150_000);
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
      options.onOutput?.(stdout, () => child.kill());
    });
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code, stdout, stderr });
    });
    child.stdin.end(options.input ?? '');
  });
}
