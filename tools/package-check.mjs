// Checks the package in the current folder as its users will get it: publint, and the types as they resolve.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './bootstrap.mjs';

const program = (name) => join(root, 'node_modules', '.bin', name);

const folder = mkdtempSync(join(tmpdir(), 'edge-pack-'));
try {
  const packed = check('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder, '--loglevel=error']);
  const [{ filename }] = Object.values(JSON.parse(packed));
  check(program('publint'), ['--strict']);
  check(program('attw'), [join(folder, filename), '--profile', 'esm-only', '--no-emoji', '--no-color']);
} finally {
  rmSync(folder, { recursive: true });
}

function check(command, args) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status === 0) return stdout;
  process.stderr.write(`${command} ${args.join(' ')} says:\n${stdout}\n${stderr}\n`);
  rmSync(folder, { recursive: true, force: true });
  process.exit(1);
}
