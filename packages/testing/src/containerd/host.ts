import { execFile, execFileSync } from 'node:child_process';
import { accessSync, constants, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { BUSYBOX_PROGRAM } from './test-images.js';

/** Debian has containerd's helpers in `sbin`, which is not on every user's path. */
export const HOST_PATH = [process.env['PATH'] ?? '', '/usr/local/sbin', '/usr/sbin', '/sbin'].join(delimiter);

/** Program and Debian package. */
const PROGRAMS: Readonly<Record<string, string>> = {
  containerd: 'containerd',
  ctr: 'containerd',
  'containerd-shim-runc-v2': 'containerd',
  runc: 'runc',
  '/usr/lib/cni/bridge': 'containernetworking-plugins',
  [BUSYBOX_PROGRAM]: 'busybox-static',
  ip: 'iproute2',
  mount: 'mount',
};

/** Throws what is missing for a containerd on this machine, and where it comes from. */
export function requireContainerd(path = HOST_PATH, user = process.getuid?.()): void {
  if (process.platform !== 'linux') throw new Error(`these tests run containers: they need Linux, this is ${process.platform}`);
  if (user !== 0) throw new Error('these tests run containers: they need to be run as root');
  const missing = Object.entries(PROGRAMS).filter(([name]) => !path.split(delimiter).some((folder) => isProgram(resolve(folder, name))));
  if (missing.length === 0) return;
  const packages = new Set(missing.map(([, debian]) => debian));
  throw new Error(`these tests run containers: ${missing.map(([name]) => name).join(', ')} not found; on Debian: apt-get install ${[...packages].join(' ')}`);
}

const run = promisify(execFile);

/** Runs a program of the host; the error holds what it said. */
export async function host(program: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await run(program, args, { env: { ...process.env, PATH: HOST_PATH }, maxBuffer: 16 << 20 });
  return stdout;
}

/** The same, for what may be gone already. Says whether it worked. */
export async function hostTry(program: string, ...args: readonly string[]): Promise<boolean> {
  return host(program, ...args).then(
    () => true,
    () => false,
  );
}

/** `overlayfs` where the kernel mounts it below this folder (not on top of another overlay), else `native`, which copies. */
export function usableSnapshotter(folder: string): 'overlayfs' | 'native' {
  const parts = ['lower', 'upper', 'work', 'merged'].map((name) => join(folder, 'overlay', name));
  for (const part of parts) mkdirSync(part, { recursive: true });
  const [lower, upper, work, merged] = parts as [string, string, string, string];
  const env = { ...process.env, PATH: HOST_PATH };
  try {
    execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', `lowerdir=${lower},upperdir=${upper},workdir=${work}`, merged], { env, stdio: 'ignore' });
    execFileSync('umount', [merged], { env, stdio: 'ignore' });
    return 'overlayfs';
  } catch {
    return 'native';
  } finally {
    rmSync(join(folder, 'overlay'), { recursive: true, force: true });
  }
}

/** Mount points below a folder, innermost first. */
export function mountsBelow(folder: string): readonly string[] {
  const points = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => (line.split(' ')[4] ?? '').replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(parseInt(code, 8))));
  return points.filter((point) => point.startsWith(`${folder}/`)).reverse();
}

/** Unmounts everything below a folder, also what is in use. */
export async function unmountBelow(folder: string): Promise<void> {
  for (const point of mountsBelow(folder)) await hostTry('umount', '-l', point);
}

/** Processes whose command line holds this text. */
export function processesWith(text: string): readonly number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid && commandLine(pid).includes(text));
}

/** When the process began, in ticks since boot: tells it from a later one of the same number. Undefined when there is none. */
export function beginning(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[19];
  } catch {
    return undefined;
  }
}

/** Sends a signal; a process that is gone is no error. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ESRCH') throw cause;
  }
}

/** Waits, for a second at most, until each thread of a process that was sent SIGSTOP stands still: on other processors they run on for a while. */
export function waitUntilStopped(pid: number): void {
  const stands = (thread: string): boolean => / [TtZ] /.test(readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8').split(')').at(-1)?.slice(0, 4) ?? '');
  for (const end = performance.now() + 1000; performance.now() < end; ) {
    try {
      if (readdirSync(`/proc/${pid}/task`).every(stands)) return;
    } catch {
      // A thread that ended between the two looks.
    }
  }
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
