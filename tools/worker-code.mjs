// Programs of threads as text: `x.worker-code.ts` becomes a module that exports the whole of `x.worker.ts`, built, as `code`.
import { build } from 'esbuild';
import { join } from 'node:path';
import { root } from './bootstrap.mjs';

/** For esbuild and tsup. */
export function workerCode() {
  return {
    name: 'worker-code',
    setup({ onLoad }) {
      onLoad({ filter: /\.worker-code\.ts$/ }, async ({ path }) => {
        const { outputFiles } = await build({
          entryPoints: [path.replace(/\.worker-code\.ts$/, '.worker.ts')],
          bundle: true,
          write: false,
          platform: 'node',
          target: 'node20',
          // What a thread is given as text runs as a script.
          format: 'cjs',
          minify: true,
          keepNames: true,
          legalComments: 'none',
          tsconfig: join(root, 'tsconfig.base.json'),
          logLevel: 'warning',
        });
        return { contents: `export const code = ${JSON.stringify(outputFiles[0].text)};`, loader: 'js' };
      });
    },
  };
}
