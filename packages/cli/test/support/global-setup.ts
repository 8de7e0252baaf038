import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** The program as the service runs it, and the helpers that tests run as processes, bundled once for all tests of this package. */
export default async function setup(): Promise<void> {
  execFileSync(process.execPath, [path('../../../../tools/bundle.mjs')], { stdio: 'inherit' });
  await build({
    entryPoints: ['producer-main', 'cloud-main', 'stuck-main', 'drift-mapper-main'].map((name) => path(`./${name}.ts`)),
    outdir: path('../../dist-bundle/test'),
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    tsconfig: path('../../../../tsconfig.base.json'),
    external: ['libsql', 'bufferutil', 'utf-8-validate'],
    banner: { js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);" },
    logLevel: 'warning',
  });
}
