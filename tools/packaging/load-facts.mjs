import { build } from 'esbuild';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../bootstrap.mjs';

/** What `facts.ts` says, for scripts that nobody has compiled. */
export async function loadFacts() {
  const outfile = join(root, 'node_modules', `.edge-facts-${process.pid}.mjs`);
  try {
    await build({
      entryPoints: [join(root, 'tools', 'packaging', 'facts.ts')],
      outfile,
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'esm',
      tsconfig: join(root, 'tsconfig.base.json'),
      external: ['libsql', 'bufferutil', 'utf-8-validate'],
      banner: { js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);" },
      logLevel: 'warning',
    });
    return (await import(outfile)).facts;
  } finally {
    rmSync(outfile, { force: true });
  }
}
