import { spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { abortError } from '@edge/core';
import { npmFailure } from './npm-failure.js';

export interface NpmOptions {
  readonly cwd: string;
  /** Where packages come from; what npm is configured with unless given. */
  readonly registry?: string | undefined;
  /** Package that is asked for. Its scope, too, has that registry then: npm prefers what a `.npmrc` says of a scope. */
  readonly name?: string | undefined;
}

/**
 * Runs the npm that belongs to this Node.js to its end and gives what it printed. It runs no script of any package.
 * @throws EdgeError with a code of its own for each cause that somebody can do something about; `core.aborted`
 */
export async function npm(words: readonly string[], { cwd, registry, name }: NpmOptions, signal: AbortSignal): Promise<string> {
  if (signal.aborted) throw abortError(signal);
  // Online: what npm remembers of a registry lacks a version that was published a moment ago.
  const args = [...words, '--ignore-scripts', '--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error', '--prefer-online', '--fetch-retries=1', '--fetch-retry-mintimeout=1000', '--fetch-timeout=60000'];
  const [scope] = /^@[^/]+(?=\/)/.exec(name ?? '') ?? [];
  if (registry !== undefined) args.push(`--registry=${registry}`, ...(scope === undefined ? [] : [`--${scope}:registry=${registry}`]));
  // A group of its own: whatever npm started ends with it.
  const child = spawn('npm', args, { cwd, env: environment(), stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  child.stderr.on('data', (chunk) => (errors = `${errors}${String(chunk)}`.slice(-20_000)));
  const end = (): void => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has ended, and its end is not known here yet.
    }
  };
  signal.addEventListener('abort', end, { once: true });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    }).catch((error: unknown) => Promise.reject(npmFailure(words, registry, `npm error code NO_NPM\n${String(error)}`)));
    if (signal.aborted) throw abortError(signal);
    if (code === 0) return output;
    throw npmFailure(words, registry, errors || output);
  } finally {
    signal.removeEventListener('abort', end);
  }
}

/** As if started by hand: what another npm, such as the one of `npx`, has set for what it runs is left out. */
function environment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_OPTIONS$|NODE_ENV$)/i.test(name));
  const { HOME = '/root', PATH = '/usr/local/bin:/usr/bin:/bin', ...rest } = Object.fromEntries(own);
  return { ...rest, HOME, PATH: `${dirname(process.execPath)}:${PATH}` };
}
