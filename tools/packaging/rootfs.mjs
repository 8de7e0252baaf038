// The files of a machine that has Node.js and little else.
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';

const FOLDERS = ['bin', 'dev', 'etc/kubeedge/config', 'opt', 'proc', 'root', 'run', 'sys', 'usr/bin', 'usr/lib', 'usr/sbin', 'var/lib/kubeedge', 'var/lib/kubelet', 'var/log/pods'];
const TEXTS = {
  'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n',
  'etc/group': 'root:x:0:\nnogroup:x:65534:\n',
  'etc/nsswitch.conf': 'hosts: files dns\n',
};
const PATHS = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];

/** Folders and files that every program expects. */
export function laySkeleton(folder) {
  for (const name of FOLDERS) mkdirSync(join(folder, name), { recursive: true });
  mkdirSync(join(folder, 'tmp'), { recursive: true });
  chmodSync(join(folder, 'tmp'), 0o1777);
  for (const [name, text] of Object.entries(TEXTS)) writeFileSync(join(folder, name), text);
}

/**
 * Copies a program of this machine with the libraries that it is linked with.
 * @param program absolute path, or a name that is looked for
 * @param target folder for the program
 * @returns whether it is on this machine
 */
export function layProgramWithLibraries(folder, program, target = '/usr/bin') {
  const found = program.startsWith('/') ? program : PATHS.map((path) => join(path, program)).find((path) => existsSync(path));
  if (found === undefined) return false;
  mkdirSync(join(folder, target), { recursive: true });
  copyFileSync(realpathSync(found), join(folder, target, basename(found)));
  layCopyright(folder, found);
  layLibraries(folder, found);
  return true;
}

/** Copies the libraries that a program, or a library itself, is linked with. */
export function layLibraries(folder, program) {
  for (const library of librariesOf(program)) {
    mkdirSync(join(folder, dirname(library)), { recursive: true });
    if (existsSync(join(folder, library))) continue;
    copyFileSync(realpathSync(library), join(folder, library));
    layCopyright(folder, library);
  }
}

/** Whoever passes a program on passes its licence on, too: Debian has it beside the documentation of the package. */
function layCopyright(folder, file) {
  const owner = [file, realpathSync(file), file.replace(/^\/usr/, ''), join('/usr', file)].map(packageOf).find((name) => name !== undefined);
  const text = ['copyright', 'LICENSE'].map((name) => join('/usr/share/doc', owner ?? '', name)).find((path) => existsSync(path));
  if (owner === undefined || text === undefined) return;
  mkdirSync(join(folder, dirname(text)), { recursive: true });
  copyFileSync(realpathSync(text), join(folder, text));
}

function packageOf(file) {
  try {
    return execFileSync('dpkg-query', ['--search', file], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split(':')[0];
  } catch {
    // Not of a package, or no Debian.
    return undefined;
  }
}

/** A shell and the usual small programs, where this machine has busybox in one piece. */
export function layBusybox(folder) {
  const found = ['/bin/busybox', '/usr/bin/busybox'].find((path) => existsSync(path) && librariesOf(path).length === 0);
  if (found === undefined) return false;
  copyFileSync(realpathSync(found), join(folder, 'bin', 'busybox'));
  layCopyright(folder, found);
  for (const name of execFileSync(found, ['--list'], { encoding: 'utf8' }).trim().split('\n')) {
    // Programs with all their features come before those of busybox.
    if (name !== 'busybox' && !['bin', 'usr/bin', 'usr/sbin'].some((at) => existsSync(join(folder, at, name)))) symlinkSync('busybox', join(folder, 'bin', name));
  }
  // Where the first line of a script expects it.
  if (!existsSync(join(folder, 'usr/bin/env'))) symlinkSync('/bin/busybox', join(folder, 'usr/bin/env'));
  return true;
}

/** Absolute paths, the loader among them; none for a program in one piece. */
function librariesOf(program) {
  try {
    const text = execFileSync('ldd', [program], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return [...text.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, path]) => path);
  } catch {
    // ldd says so with an error.
    return [];
  }
}
