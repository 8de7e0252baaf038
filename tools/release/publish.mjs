// Sends what the registry does not have yet.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readManifests } from './workspace.mjs';

/**
 * Publishes every package whose version is not in the registry, as it has been built; a second time it finds nothing to do.
 * @returns `name@version` of what went out
 */
export async function publish(root, { dryRun }) {
  const packages = readManifests(root).filter((manifest) => !manifest.private);
  const unbuilt = packages.filter(({ folder }) => !existsSync(join(root, folder, 'dist'))).map(({ name }) => name);
  if (unbuilt.length > 0) throw new Error(`${unbuilt.join(', ')} not built: run npx nx run-many -t build first`);
  const registry = registryOf(root);
  const missing = await Promise.all(packages.map(async (manifest) => ((await isThere(registry, manifest)) ? [] : [manifest])));
  const out = missing.flat();
  if (out.length === 0 || dryRun) return out.map(({ name, version }) => `${name}@${version}`);
  const { GITHUB_REPOSITORY: repository, GITHUB_SERVER_URL: server, ACTIONS_ID_TOKEN_REQUEST_URL: vouched } = process.env;
  // The forge vouches for archives that name the repository which they were built from.
  if (repository) for (const { folder } of out) npm(join(root, folder), ['pkg', 'set', 'repository.type=git', `repository.url=git+${server}/${repository}.git`, `repository.directory=${folder}`]);
  npm(root, ['publish', ...out.map(({ folder }) => `--workspace=${folder}`), '--access=public', vouched ? '--provenance' : '--no-provenance', '--ignore-scripts', '--loglevel=error']);
  return out.map(({ name, version }) => `${name}@${version}`);
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
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm ${args.join(' ')} ended with ${status}:\n${stdout}\n${stderr}`);
  return stdout;
}
