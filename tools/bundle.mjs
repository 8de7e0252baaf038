// Builds the agent as one file: starts faster and needs less memory than many (docs/adr/0004-one-file.md).
// `npm run bundle -- --out <folder>` lays it there with all that it needs, to be used outside of this repository.
import { build } from 'esbuild';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from './bootstrap.mjs';
import { layProgram, platforms } from './packaging/program.mjs';
import { thirdParty } from './third-party.mjs';
import { workerCode } from './worker-code.mjs';

/** Where the bundled program is. */
export const bundlePath = join(root, 'packages', 'cli', 'dist-bundle', 'edgecore.mjs');

/** Bundles from the sources, so that nothing has to be built first. The licences of what it holds lie beside it. */
export async function bundle(outfile = bundlePath) {
  await build({
    entryPoints: [join(root, 'packages', 'cli', 'src', 'main.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    minify: true,
    keepNames: true,
    legalComments: 'none',
    treeShaking: true,
    absWorkingDir: root,
    tsconfig: join(root, 'tsconfig.base.json'),
    // Native code stays outside; optional accelerators of ws are not used.
    external: ['libsql', 'bufferutil', 'utf-8-validate'],
    define: { EDGECORE_IS_ONE_FILE: 'true' },
    // Some CommonJS dependencies ask for Node's built-in modules by require().
    banner: { js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);" },
    plugins: [workerCode(), thirdParty(dirname(outfile))],
    logLevel: 'warning',
  });
  const [wide] = /[^\u0000-\u00ff].{0,40}/.exec(readFileSync(outfile, 'utf8')) ?? [];
  if (wide !== undefined) throw new Error(`the bundle holds a letter beyond Latin-1, which doubles its size in memory; write it as an escape: ${wide}`);
  chmodSync(outfile, 0o755);
}

const usage = `usage: npm run bundle -- [--out folder] [--sqlite node | ${platforms.join(' | ')}]

Builds the agent as one file: packages/cli/dist-bundle/edgecore.mjs, unless told where.

  --out folder    lays the file there, with its licences and with what must lie beside it; then: node folder/edgecore.mjs
  --sqlite name   the platform whose SQLite library lies beside it, for Node.js before 22.13; node: none, Node.js has one.
                  That of this machine unless given.
`;

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const { values } = read();
  if (values.out === undefined) await bundle();
  else {
    // Not by way of the usual place, from which an agent may be about to start.
    const draft = mkdtempSync(join(tmpdir(), 'edge-bundle-'));
    try {
      await bundle(join(draft, 'edgecore.mjs'));
      process.stdout.write(`${layProgram(join(draft, 'edgecore.mjs'), resolve(process.env.INIT_CWD ?? '.', values.out), values.sqlite)}\n`);
    } catch (error) {
      process.stderr.write(`${error.message}\n`);
      process.exitCode = 1;
    } finally {
      rmSync(draft, { recursive: true });
    }
  }
}

function read() {
  try {
    const parsed = parseArgs({ options: { out: { type: 'string' }, sqlite: { type: 'string' }, help: { type: 'boolean', short: 'h' } } });
    if (parsed.values.sqlite !== undefined && parsed.values.sqlite !== 'node' && !platforms.includes(parsed.values.sqlite)) throw new Error(`--sqlite is "${parsed.values.sqlite}", it must be node or one of ${platforms.join(', ')}`);
    if (!parsed.values.help) return parsed;
    process.stdout.write(usage);
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${error.message}\n\n${usage}`);
    process.exit(2);
  }
}
