// Builds the agent as one file: starts faster and needs less memory than many (docs/adr/0004-one-file.md).
import { build } from 'esbuild';
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './bootstrap.mjs';
import { workerCode } from './worker-code.mjs';

/** Where the bundled program is. */
export const bundlePath = join(root, 'packages', 'cli', 'dist-bundle', 'edgecore.mjs');

/** Bundles from the sources, so that nothing has to be built first. */
export async function bundle() {
  await build({
    entryPoints: [join(root, 'packages', 'cli', 'src', 'main.ts')],
    outfile: bundlePath,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    minify: true,
    keepNames: true,
    legalComments: 'none',
    treeShaking: true,
    tsconfig: join(root, 'tsconfig.base.json'),
    // Native code stays outside; optional accelerators of ws are not used.
    external: ['libsql', 'bufferutil', 'utf-8-validate'],
    // Some CommonJS dependencies ask for Node's built-in modules by require().
    banner: { js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);" },
    plugins: [workerCode()],
    logLevel: 'warning',
  });
  const [wide] = /[^\u0000-\u00ff].{0,40}/.exec(readFileSync(bundlePath, 'utf8')) ?? [];
  if (wide !== undefined) throw new Error(`the bundle holds a letter beyond Latin-1, which doubles its size in memory; write it as an escape: ${wide}`);
  chmodSync(bundlePath, 0o755);
}

if (process.argv[1] === new URL(import.meta.url).pathname) await bundle();
