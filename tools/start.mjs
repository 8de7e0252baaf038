// `npm start`: installs, builds and runs the whole thing: an embedded cloud and an agent that joins it.
import { spawn } from 'node:child_process';
import { bootstrap } from './bootstrap.mjs';

bootstrap();
const { bundle, bundlePath } = await import('./bundle.mjs');
await bundle();
// Its helper process is not needed any more and larger than the agent.
await (await import('esbuild')).stop();

const child = spawn(process.execPath, [bundlePath, 'dev', ...process.argv.slice(2)], { stdio: 'inherit' });
// A terminal sends Ctrl-C to the child as well; a plain kill reaches this process alone and is passed on.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => child.kill('SIGTERM'));
// npm ends on a kill without passing it on: an orphan stops as well.
const parent = process.ppid;
setInterval(() => process.ppid === parent || child.kill('SIGTERM'), 500).unref();
child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
