// `npm run sizes`: how large each package is that is built, packed as it is published and unpacked, and what it may have.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './bootstrap.mjs';

/** Most KiB that a package may have, packed; all that are not named have `OTHERS`. Who needs more raises it here, and says why in the commit. */
const LIMITS = {
  edged: 700,
  minicloud: 350,
};
const OTHERS = 300;

/**
 * @param {string} name folder below `packages`
 * @param {number} size bytes of the packed package
 * @returns {string | undefined} what is wrong
 */
export function sizeProblem(name, size) {
  const limit = LIMITS[name] ?? OTHERS;
  if (size <= limit * 1024) return undefined;
  return `@edge/${name} has ${Math.ceil(size / 1024)} KiB packed, it may have ${limit}: look at what came into it, or raise its limit in tools/sizes.mjs`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '/').href) {
  const kib = (bytes) => `${(bytes / 1024).toFixed(0)} KiB`.padStart(10);
  process.stdout.write(`${'package'.padEnd(20)}${'packed'.padStart(10)}${'unpacked'.padStart(10)}${'may have'.padStart(10)}\n`);
  for (const name of readdirSync(join(root, 'packages')).filter((entry) => existsSync(join(root, 'packages', entry, 'dist', 'index.js')))) {
    const { stdout } = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts', '--loglevel=error'], { cwd: join(root, 'packages', name), encoding: 'utf8' });
    const [{ size, unpackedSize }] = Object.values(JSON.parse(stdout));
    process.stdout.write(`${`@edge/${name}`.padEnd(20)}${kib(size)}${kib(unpackedSize)}${kib((LIMITS[name] ?? OTHERS) * 1024)}\n`);
  }
}
