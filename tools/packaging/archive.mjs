import { execFileSync } from 'node:child_process';

/** An archive of a folder that depends on nothing but the files in it: sorted, of root, without their times. */
export function archive(folder, out) {
  execFileSync('tar', ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--format=gnu', '-C', folder, '-cf', out, '.'], { stdio: ['ignore', 'inherit', 'inherit'] });
}
