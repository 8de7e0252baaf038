// `npm run bench`: figures, with machine and Node.js version; see `usage`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bootstrap, root } from './bootstrap.mjs';

const folder = join(root, 'tools', 'bench');
const files = readdirSync(folder);
const names = files.filter((file) => file.endsWith('.bench.ts')).map((file) => file.replace('.bench.ts', ''));
const usage = `usage: npm run bench -- [options] [benchmark ...]

Measures and prints figures, with machine and Node.js version. Without a name all run, one after the other:
  ${names.join(', ')}

  --quick     fewer messages: sooner, less precise
  --json      one JSON object instead of lines
  --profile   each benchmark, and each program that it runs, writes a .cpuprofile into the current directory
  --help      this text

A file tools/bench/<name>.bench.ts is a benchmark; tools/bench/<name>.program.ts is what one runs in a process of its own.
`;
const { options, wanted } = readArguments();
if (options.help) {
  process.stdout.write(usage);
  process.exit(0);
}
const { json = false, quick = false, profile = false } = options;

bootstrap();
const { build } = await import('esbuild');
const { bundle } = await import('./bundle.mjs');
const { workerCode } = await import('./worker-code.mjs');

// Inside the workspace, so that native packages are found from there.
const out = mkdtempSync(join(root, 'node_modules', '.edge-bench-'));
try {
  await bundle();
  await build({
    // Programs are what a benchmark runs in another process.
    entryPoints: [
      ...files.filter((file) => /\.(bench|program)\.ts$/.test(file)).map((file) => ({ in: join(folder, file), out: file.replace('.ts', '') })),
      { in: join(root, 'packages', 'edgehub', 'bench', 'counting-cloud.ts'), out: 'counting-cloud.program' },
    ],
    outdir: out,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    tsconfig: join(root, 'tsconfig.base.json'),
    external: ['libsql', 'bufferutil', 'utf-8-validate', 'vitest'],
    banner: { js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);" },
    plugins: [workerCode()],
    logLevel: 'warning',
  });
  const { cpus, loadavg, totalmem } = await import('node:os');
  const report = { node: process.version, cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, memoryGiB: Math.round(totalmem() / 2 ** 30), load: Number((loadavg()[0] ?? 0).toFixed(1)), figures: [] };
  if (!json) process.stdout.write(`Node.js ${report.node}, ${report.cores} × ${report.cpu}, ${report.memoryGiB} GiB, load before ${report.load}\n\n`);
  for (const name of names.filter((candidate) => wanted.length === 0 || wanted.includes(candidate))) {
    // A process each: what one leaves in memory must not colour the next.
    const { status, stdout } = spawnSync(process.execPath, ['--expose-gc', ...(profile ? ['--cpu-prof', `--cpu-prof-dir=${process.cwd()}`] : []), join(out, `${name}.bench.mjs`), ...(quick ? ['--quick'] : [])], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], cwd: root });
    if (status !== 0) throw new Error(`benchmark ${name} ended with code ${status}`);
    for (const line of stdout.split('\n').filter((text) => text.startsWith('{'))) {
      const figure = JSON.parse(line);
      report.figures.push(figure);
      if (!json) process.stdout.write(`${figure.name.padEnd(58)} ${format(figure.value).padStart(12)} ${figure.unit}${figure.note ? `   (${figure.note})` : ''}\n`);
    }
  }
  if (json) process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
} finally {
  rmSync(out, { recursive: true });
}

/** Ends with code 2 and the reason when they are not understood. */
function readArguments() {
  const flag = { type: 'boolean' };
  try {
    const { values, positionals } = parseArgs({ allowPositionals: true, options: { json: flag, quick: flag, profile: flag, help: { ...flag, short: 'h' } } });
    const unknown = positionals.filter((name) => !names.includes(name));
    if (unknown.length > 0) throw new Error(`there is no benchmark ${unknown.join(', ')}; there are ${names.join(', ')}`);
    return { options: values, wanted: positionals };
  } catch (error) {
    process.stderr.write(`${error.message}\n\n${usage}`);
    process.exit(2);
  }
}

function format(value) {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(2);
}
