// `npm test`: everything that must hold, on a fresh clone too. `npm test -- --quick` runs the tests alone.
import { spawn } from 'node:child_process';
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
// Most of the long tests wait: what only reads the sources goes on beside them.
const sources = quick ? undefined : checkSources();
if (!quick && (await step('npx', ['nx', 'run-many', '-t', 'build', 'package-check', '--output-style=static'])) !== 0) await end(0, 1);

const folder = mkdtempSync(join(tmpdir(), 'edge-test-'));
const report = join(folder, 'results.json');
const tests = spawn('npx', ['vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...filters], {
  cwd: root,
  stdio: ['ignore', 'inherit', 'inherit'],
  env: { ...process.env, ...env },
});
const [status] = await once(tests, 'close');
if (!existsSync(report)) {
  process.stderr.write('the test run wrote no report\n');
  await end(0, 1);
}
const { numPassedTests, numFailedTests, numPendingTests, success } = JSON.parse(readFileSync(report, 'utf8'));
rmSync(folder, { recursive: true });
// A file that cannot even be loaded has no tests to count but has failed all the same.
await end(numPassedTests, numFailedTests + ((success && status === 0) || numFailedTests > 0 ? 0 : 1), numPendingTests);

/** Ends this program with the line that says how it went; types, lint and what nobody uses count as one test each where they fail. */
async function end(passed, failed, skipped = 0) {
  const codes = (await sources) ?? [];
  const all = failed + codes.filter((code) => code !== 0).length;
  process.stdout.write(`${passed} passed, ${all} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
  process.exit(all === 0 ? 0 : 1);
}

/** Types, lint and what nobody uses, of the whole workspace in one process each, which reads what packages share once; resolves with their codes. */
async function checkSources() {
  const types = await step('npx', ['tsc', '-p', 'tsconfig.check.json']);
  // Its rule about who imports whom finds the graph that nx has made by now.
  const lint = await step('npx', ['eslint', '.']);
  return [types, lint, await step('npx', ['knip', '--no-progress', '--no-config-hints'])];
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
