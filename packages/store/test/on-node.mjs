// Runs this package's tests on a newer Node.js, which brings the second driver (node:sqlite).
//   node test/on-node.mjs 24
// The binary comes from npm's registry and is kept in the workspace's node_modules/.cache. Where it cannot be had, this
// says so and ends well, except in CI, where EDGE_NODE_REQUIRED=1 makes it an error.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { fileURLToPath } from 'node:url';

const major = process.argv[2] ?? '24';
if (isBuiltin('node:sqlite') && process.argv[2] === undefined) {
  console.log(`Node.js ${process.versions.node} has node:sqlite: its tests ran with all others`);
  process.exit(0);
}
const workspace = fileURLToPath(new URL('../../../', import.meta.url));
const cache = `${workspace}node_modules/.cache/node-${major}`;
const name = `node-${process.platform}-${process.arch}`;
const binary = `${cache}/node_modules/${name}/bin/node`;

if (!existsSync(binary)) {
  mkdirSync(cache, { recursive: true });
  writeFileSync(`${cache}/package.json`, '{"private":true}');
  const install = spawnSync('npm', ['install', '--no-audit', '--no-fund', `${name}@${major}`], { cwd: cache, encoding: 'utf8' });
  if (!existsSync(binary)) {
    console.log(`Node.js ${major} cannot be had here, so the driver node:sqlite was not tested: ${install.stderr?.trim().split('\n')[0] ?? install.error}`);
    process.exit(process.env.EDGE_NODE_REQUIRED === '1' ? 1 : 0);
  }
}
const vitest = `${workspace}node_modules/vitest/vitest.mjs`;
const run = spawnSync(binary, [vitest, 'run'], { cwd: fileURLToPath(new URL('../', import.meta.url)), stdio: 'inherit' });
process.exit(run.status ?? 1);
