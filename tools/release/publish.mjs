// Sends what the registry does not have yet.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readManifests } from './workspace.mjs';

/**
 * Publishes every package whose version is not in the registry, built from the sources as they are; a second time it finds nothing to do.
 * @returns `name@version` of what went out, in that order
 */
export async function publish(root, { dryRun }) {
  const packages = neededFirst(readManifests(root).filter((manifest) => !manifest.private));
  const registry = registryOf(root);
  const missing = await Promise.all(packages.map(async (manifest) => ((await isThere(registry, manifest)) ? [] : [manifest])));
  const out = missing.flat();
  if (out.length === 0 || dryRun) return out.map(({ name, version }) => `${name}@${version}`);
  // A build has the version of its package in it: one from before the release would go out under the wrong number.
  if (existsSync(join(root, 'nx.json'))) must(root, 'npx', ['nx', 'run-many', '-t', 'build', '--projects=packages/*', '--output-style=static']);
  const unbuilt = out.filter(({ folder }) => !existsSync(join(root, folder, 'dist'))).map(({ name }) => name);
  if (unbuilt.length > 0) throw new Error(`${unbuilt.join(', ')} not built: there is no dist`);
  const { GITHUB_REPOSITORY: repository, GITHUB_SERVER_URL: server, ACTIONS_ID_TOKEN_REQUEST_URL: vouched } = process.env;
  // The forge vouches for archives that name the repository which they were built from.
  if (repository) for (const { folder } of out) npm(join(root, folder), ['pkg', 'set', 'repository.type=git', `repository.url=git+${server}/${repository}.git`, `repository.directory=${folder}`]);
  npm(root, ['publish', ...out.map(({ folder }) => `--workspace=${folder}`), '--access=public', vouched ? '--provenance' : '--no-provenance', '--ignore-scripts', '--loglevel=error']);
  return out.map(({ name, version }) => `${name}@${version}`);
}

/** Whoever installs while this goes on, or after it broke off in the middle, finds all that a package needs. */
function neededFirst(packages) {
  const byName = new Map(packages.map((manifest) => [manifest.name, manifest]));
  const sorted = new Set();
  const visit = (manifest) => {
    byName.delete(manifest.name);
    for (const name of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })) if (byName.has(name)) visit(byName.get(name));
    sorted.add(manifest);
  };
  for (const manifest of packages) if (byName.has(manifest.name)) visit(manifest);
  return [...sorted];
}

/** Where packages of the scope go. */
function registryOf(root) {
  const configured = npm(root, ['config', 'get', '@edge:registry']).trim();
  return configured === '' || configured === 'undefined' ? npm(root, ['config', 'get', 'registry']).trim() : configured;
}

async function isThere(registry, { name, version }) {
  const url = new URL(name.replace('/', '%2f'), registry.replace(/\/*$/, '/'));
  const answer = await fetch(url);
  if (answer.status === 404) return false;
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}: it is not known whether ${name} ${version} is out`);
  return version in (await answer.json()).versions;
}

function npm(cwd, args) {
  return must(cwd, 'npm', args);
}

function must(cwd, command, args) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', maxBuffer: 2 ** 26, env: { ...process.env, NX_DAEMON: 'false', NX_TUI: 'false' } });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}:\n${stdout}\n${stderr}`);
  return stdout;
}
