import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/**
 * Makes a program of `test/children/<name>.ts` that plain Node.js can run, and returns its path. It lies inside the
 * package, because from there it finds the native library.
 */
export async function buildChild(name: string): Promise<string> {
  const folder = fileURLToPath(new URL('../node_modules/.test/', import.meta.url));
  mkdirSync(folder, { recursive: true });
  const outfile = `${folder}${name}-${process.pid}.mjs`;
  await build({
    entryPoints: [fileURLToPath(new URL(`children/${name}.ts`, import.meta.url))],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    tsconfig: fileURLToPath(new URL('../../../tsconfig.base.json', import.meta.url)),
    external: ['libsql', 'inversify', 'reflect-metadata'],
    logLevel: 'error',
  });
  return outfile;
}
