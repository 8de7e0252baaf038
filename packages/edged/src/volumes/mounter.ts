import { spawn } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { abortError } from '@edge/core';
import { edgedError } from '../errors.js';
import { isMountPoint, readMountTable } from './mount-table.js';

export interface MountRequest {
  /** Device, directory, `server:/path` or, for filesystems without one, any word. */
  readonly source: string;
  /** Existing absolute path, without links in it. */
  readonly target: string;
  /** Absent for bind mounts. */
  readonly type?: string;
  readonly options: readonly string[];
}

/** Mounts and unmounts. */
export interface Mounter {
  /** @throws EdgeError `edged.mount` */
  mount(request: MountRequest, signal?: AbortSignal): Promise<void>;
  /**
   * Mounts what a file descriptor stands for, so that nobody can exchange it for something else on the way.
   * @throws EdgeError `edged.mount`
   */
  bindDescriptor(descriptor: number, target: string, signal?: AbortSignal): Promise<void>;
  /**
   * Unmounts what was mounted last at a path; succeeds when nothing is.
   * @param lazy takes it out of sight at once, and away when the last user has let go
   * @throws EdgeError `edged.mount`
   */
  unmount(target: string, lazy?: boolean): Promise<void>;
}

/** A server that does not answer must not hold up a pod for ever. */
const PATIENCE_MS = 120_000;
const TOOL_PATHS = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', ...(process.env['PATH'] ?? '').split(delimiter)];

/** The tools of util-linux; undefined where this process cannot mount: not root, or the tools are missing. */
export async function openMounter(): Promise<Mounter | undefined> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return undefined;
  const [mount, unmount] = await Promise.all([findTool('mount'), findTool('umount')]);
  if (mount === undefined || unmount === undefined) return undefined;
  return {
    mount: ({ source, target, type, options }, signal) => {
      const how = [...(type === undefined ? [] : ['-t', type]), ...(options.length === 0 ? [] : ['-o', options.join(',')])];
      return run(mount, [...how, '--', source, target], signal);
    },
    // The tool must not resolve the link in /proc by its text.
    bindDescriptor: (descriptor, target, signal) => run(mount, ['--no-canonicalize', '-o', 'bind', '--', '/proc/self/fd/3', target], signal, descriptor),
    unmount: async (target, lazy = false) => {
      try {
        await run(unmount, [...(lazy ? ['--lazy'] : []), '--no-canonicalize', '--', target]);
      } catch (error) {
        if (isMountPoint(await readMountTable(), target)) throw error;
      }
    },
  };
}

function run(tool: string, args: readonly string[], signal?: AbortSignal, descriptor?: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const stdio = ['ignore', 'ignore', 'pipe', ...(descriptor === undefined ? [] : [descriptor])] as const;
    const child = spawn(tool, args, {
      stdio: [...stdio],
      env: { PATH: TOOL_PATHS.join(delimiter), LC_ALL: 'C' },
      timeout: PATIENCE_MS,
      killSignal: 'SIGKILL',
      ...(signal === undefined ? {} : { signal }),
    });
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2000)));
    const fail = (why: string, cause?: unknown): void => reject(edgedError('edged.mount', `${tool} ${args.join(' ')}: ${said.trim() || why}`, cause));
    child.once('error', (cause) => (signal?.aborted ? reject(abortError(signal)) : fail(cause.message, cause)));
    child.once('close', (code, killed) => {
      if (code === 0) resolve();
      else fail(killed === null ? `exit code ${code}` : `ended by ${killed}; it has ${PATIENCE_MS / 1000} s`);
    });
  });
}

async function findTool(name: string): Promise<string | undefined> {
  for (const directory of TOOL_PATHS) {
    const path = join(directory, name);
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return undefined;
}
