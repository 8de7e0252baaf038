import { existsSync } from 'node:fs';
import { lstat, readdir, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { loadConfig, readConfigFile, type EdgeCoreConfig } from '@edge/config';
import { EdgeError, errorCode, silentLogger } from '@edge/core';
import { parseEdgedConfig, removePods } from '@edge/edged';
import { checkEnvironment, gatherHostFacts } from '@edge/envcheck';
import { removeFetched } from '@edge/upgrade';
import { usersOf } from './file-users.js';
import { removeMachineParts } from './machine-parts.js';
import type { Places } from './places.js';
import { resetPlan, type ResetPlan } from './reset-plan.js';
import { foldersOfInstallation, removeEmptyFolders, stopAgent, uninstall } from './uninstall.js';

export interface ResetOptions {
  readonly places: Places;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** What was removed, and what could not be, with the reason. */
export interface ResetOutcome {
  readonly removed: readonly string[];
  readonly left: readonly string[];
}

/**
 * Takes away all that the agent has ever made on this machine: pods, data, certificates, configuration, service, versions. The
 * pods first: while one of them cannot be removed, the data by which it is known stay, and it can be tried again.
 * @throws EdgeError `cli.reset` when the agent, or a kubelet whose pods look the same, runs; what the container runtime says that
 * cannot be reached
 */
export async function reset({ places, env, signal }: ResetOptions): Promise<ResetOutcome> {
  const config = await configOf(places);
  if (places.root === undefined) await checkEnvironment({ env, metaServerEnabled: false, signal });
  await stopAgent(places);
  await mustNotRun(places.at(config.database.dataSource));
  const edged = parseEdgedConfig(config.modules.edged, config as unknown as Record<string, unknown>);
  const pods = await removePods({ config: { ...edged, rootDirectory: places.at(edged.rootDirectory), podLogsDir: places.at(edged.podLogsDir) }, log: silentLogger, signal });
  if (pods.left.length > 0) return pods;
  const machine = places.root === undefined ? await removeMachineParts() : [];
  const plan = resetPlan(config, places);
  const files = [...(await removeFiles(plan)), ...(await removeVersions(plan))];
  const installed = await uninstall(places);
  await removeEmptyFolders([...plan.ifEmpty, ...foldersOfInstallation(places)]);
  return { removed: [...pods.removed, ...machine, ...files, ...installed], left: [] };
}

/** Without a file the usual places count. */
async function configOf({ configPath }: Places): Promise<EdgeCoreConfig> {
  const host = await gatherHostFacts();
  return existsSync(configPath) ? (await readConfigFile(configPath, host)).config : loadConfig('', host).config;
}

/** An agent that was started by hand, or the one of KubeEdge, is not known to any service. */
async function mustNotRun(database: string): Promise<void> {
  if (!existsSync(database)) return;
  const path = await realpath(database);
  const users = await usersOf([path, `${path}-wal`]);
  if (users.length > 0) throw new EdgeError('cli.reset', `process ${users.join(', ')} uses the database ${path}: stop it first`);
}

async function removeFiles({ files, named, trees }: ResetPlan): Promise<string[]> {
  const matching = await Promise.all(named.map(async ({ folder, name }) => (await list(folder)).filter((one) => name.test(one)).map((one) => join(folder, one))));
  const removed: string[] = [];
  for (const path of [...files, ...matching.flat(), ...trees]) {
    if (!(await isThere(path))) continue;
    await rm(path, { recursive: trees.includes(path), force: true });
    removed.push(path);
  }
  return removed;
}

async function removeVersions({ versions }: ResetPlan): Promise<string[]> {
  const roles = (await list(versions)).map((role) => join(versions, role));
  const removed = await Promise.all(roles.map((role) => removeFetched(role, [], true)));
  await removeEmptyFolders([...roles, versions]);
  return removed.flat();
}

async function list(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: unknown) => {
    if (['ENOENT', 'ENOTDIR'].includes(errorCode(error))) return [];
    throw error;
  });
}

/** Also of a link that leads nowhere, such as one to a certificate that is removed already. */
async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    (error: unknown) => {
      if (['ENOENT', 'ENOTDIR'].includes(errorCode(error))) return false;
      throw error;
    },
  );
}
