// `npm run example:<name>`: builds a mapper of examples/ from the sources and runs it beside the agent of `npm start`.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { bootstrap, root } from './bootstrap.mjs';

const [name, ...flags] = process.argv.slice(2);
const entry = join(root, 'examples', name ?? '', 'mapper', 'main.ts');
if (!name || !existsSync(entry)) {
  process.stderr.write(`there is no example "${name ?? ''}" with a mapper\n`);
  process.exit(1);
}

bootstrap();
const { build, stop } = await import('esbuild');
const program = join(root, 'examples', name, 'mapper', 'dist-bundle', `${name}.mjs`);
await build({
  entryPoints: [entry],
  outfile: program,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  tsconfig: join(root, 'tsconfig.base.json'),
  // Serial lines are not what the examples use, and bring native code.
  external: ['serialport', 'bufferutil', 'utf-8-validate'],
  banner: { js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);" },
  logLevel: 'warning',
});
await stop();

const given = flags.some((flag) => flag.startsWith('--edgecore-sock')) || process.env.EDGECORE_SOCK !== undefined;
const socket = given ? [] : ['--edgecore-sock', join(root, '.edge', 'agent', 'dmi.sock')];
const child = spawn(process.execPath, [program, ...socket, ...flags], { stdio: 'inherit' });
// A terminal sends Ctrl-C to the child as well; a plain kill reaches this process alone and is passed on.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => child.kill('SIGTERM'));
// npm ends on a kill without passing it on: an orphan stops as well.
const parent = process.ppid;
setInterval(() => process.ppid === parent || child.kill('SIGTERM'), 500).unref();
child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
