// `npm test`: everything that must hold, on a fresh clone too. `npm test -- --quick` runs the tests alone.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootstrap, root } from './bootstrap.mjs';

const args = process.argv.slice(2);
const quick = args.includes('--quick');
const filters = args.filter((arg) => arg !== '--quick');

bootstrap();
const env = { NX_DAEMON: 'false', NX_TUI: 'false' };
if (!quick) await check();

const folder = mkdtempSync(join(tmpdir(), 'edge-test-'));
const report = join(folder, 'results.json');
const { status } = spawnSync('npx', ['vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...filters], {
  cwd: root,
  stdio: ['ignore', 'inherit', 'inherit'],
  env: { ...process.env, ...env },
});
if (!existsSync(report)) {
  process.stderr.write('the test run wrote no report\n');
  process.stdout.write('0 passed, 1 failed\n');
  process.exit(1);
}
const { numPassedTests, numFailedTests, numPendingTests, success } = JSON.parse(readFileSync(report, 'utf8'));
rmSync(folder, { recursive: true });
// A file that cannot even be loaded has no tests to count but has failed all the same.
const failed = numFailedTests + (success || numFailedTests > 0 ? 0 : 1);
process.stdout.write(`${numPassedTests} passed, ${failed} failed${numPendingTests > 0 ? `, ${numPendingTests} skipped` : ''}\n`);
process.exit(status === 0 && failed === 0 ? 0 : 1);

/** Types and lint of the whole workspace in one process each, which reads what packages share once; builds, package by package, beside them. */
async function check() {
  const nx = step('npx', ['nx', 'run-many', '-t', 'build', 'package-check', '--output-style=static']);
  const types = await step('npx', ['tsc', '-p', 'tsconfig.check.json']);
  // Its rule about who imports whom finds the graph that nx has made by now.
  const lint = await step('npx', ['eslint', '.']);
  if ([await nx, types, lint].some((code) => code !== 0)) process.exit(1);
}

/** Runs a command in the workspace's root and prints what it said when it has ended; resolves with its code. */
async function step(command, args) {
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  const [code] = await once(child, 'close');
  process.stdout.write(`> ${command} ${args.join(' ')}\n${output}${code === 0 ? '' : `ended with code ${code}\n`}`);
  return code;
}
