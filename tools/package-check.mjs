// Checks the package in the current folder as its users will get it: its licence, publint, the types as they resolve, what it exports,
// its size.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { apiReport, difference, reportPath } from './api-report.mjs';
import { root } from './bootstrap.mjs';
import { sizeProblem } from './sizes.mjs';

const program = (name) => join(root, 'node_modules', '.bin', name);
const name = basename(process.cwd());

const folder = mkdtempSync(join(tmpdir(), 'edge-pack-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const packed = check('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder, '--loglevel=error']);
const [{ filename, files, size }] = Object.values(JSON.parse(packed));
// npm takes it from the package's own folder alone.
if (!files.some(({ path }) => path === 'LICENSE')) fail(`@edge/${name} would go out without its licence: copy LICENSE of the root into packages/${name}`);
check(program('publint'), ['--strict']);
check(program('attw'), [join(folder, filename), '--profile', 'esm-only', '--no-emoji', '--no-color']);
checkApi();
const tooLarge = sizeProblem(name, size);
if (tooLarge !== undefined) fail(tooLarge);

function checkApi() {
  const report = apiReport(process.cwd());
  const path = join(root, reportPath(name));
  const before = existsSync(path) ? readFileSync(path, 'utf8') : '';
  if (report === before) return;
  const lines = difference(before, report);
  const shown = lines.slice(0, 40).join('\n');
  fail(`what @edge/${name} exports is not what ${reportPath(name)} says:\n${shown}${lines.length > 40 ? `\n(${lines.length - 40} more lines)` : ''}\nIf that is meant, run "npm run api" and commit the report.`);
}

function check(command, args) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status === 0) return stdout;
  return fail(`${command} ${args.join(' ')} says:\n${stdout}\n${stderr}`);
}

function fail(text) {
  process.stderr.write(`${text}\n`);
  process.exit(1);
}
