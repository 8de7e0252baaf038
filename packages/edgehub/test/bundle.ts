import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const HERE = fileURLToPath(new URL('.', import.meta.url));

/** Compiles a program of this package into one file that plain Node.js runs; returns its path. */
export async function bundle(source: string): Promise<string> {
  // Within the package, so that what stays outside the file is found.
  const folder = join(HERE, '..', 'node_modules', '.cache', 'programs');
  await mkdir(folder, { recursive: true });
  const outfile = join(folder, `${basename(source, '.ts')}-${process.pid}.mjs`);
  await build({
    entryPoints: [join(HERE, '..', source)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    external: ['libsql', 'vitest', 'node:sqlite'],
    tsconfig: join(HERE, '..', 'tsconfig.json'),
    banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
    logLevel: 'error',
  });
  return outfile;
}
