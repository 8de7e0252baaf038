// `npm test`: everything that must hold, on a fresh clone too. `npm test -- --quick` runs the tests alone.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootstrap, root, run } from './bootstrap.mjs';

const args = process.argv.slice(2);
const quick = args.includes('--quick');
const filters = args.filter((arg) => arg !== '--quick');

bootstrap();
const env = { NX_DAEMON: 'false', NX_TUI: 'false' };
if (!quick) run('npx', ['nx', 'run-many', '-t', 'lint', 'typecheck', 'build', 'package-check', '--output-style=static'], env);

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
