// `nx run <package>:alone`: runs `example/alone.ts` of the package in the current folder from source, with the arguments given.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { root } from './bootstrap.mjs';

/**
 * Makes programs of the examples, with the sources of the workspace in them, where they find what is installed.
 * @param {readonly string[]} names folders below `packages`
 * @returns {Promise<readonly string[]>} absolute paths, in the same order
 */
export async function bundleExamples(names) {
  const file = (name, ...rest) => join(root, 'packages', name, ...rest);
  await build({
    entryPoints: names.map((name) => ({ in: file(name, 'example', 'alone.ts'), out: join(name, '.edge', 'alone') })),
    outdir: join(root, 'packages'),
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    tsconfig: join(root, 'tsconfig.base.json'),
    logLevel: 'warning',
  });
  return names.map((name) => file(name, '.edge', 'alone.mjs'));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '/').href) {
  const name = relative(join(root, 'packages'), process.cwd());
  if (!existsSync(join(root, 'packages', name, 'example', 'alone.ts'))) {
    process.stderr.write(`there is no example/alone.ts in ${process.cwd()}; this runs in a folder below ${join(root, 'packages')}\n`);
    process.exit(1);
  }
  const [program] = await bundleExamples([name]);
  const child = spawn(process.execPath, [program, ...process.argv.slice(2)], { stdio: 'inherit' });
  // Ctrl-C reaches both; the example ends first.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code) => process.exit(code ?? 1));
}
