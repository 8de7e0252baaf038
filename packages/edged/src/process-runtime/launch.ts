import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import type { FileHandle } from 'node:fs/promises';
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText } from '@edge/core';
import { insideMount } from './container-root.js';
import type { Environment } from './environment.js';
import { buildEnvironment, environmentScript } from './environment.js';
import { writeText } from './json-file.js';
import { KEEPER, mainScript } from './keeper-script.js';
import type { ContainerPaths } from './layout.js';
import type { ContainerRecord } from './record.js';
import { commandProblem } from './resolve-command.js';

export interface LaunchDeps {
  readonly record: ContainerRecord;
  readonly paths: ContainerPaths;
  /** `PATH` for containers that do not set it. */
  readonly path: string;
}

/** In what surroundings the commands of a container run. */
export async function prepare({ record, paths, path }: LaunchDeps): Promise<{ environment: Environment; directory: string }> {
  return {
    environment: buildEnvironment(record.config.env, { path, root: paths.root }),
    directory: await workingDirectory(record, paths.root),
  };
}

/**
 * The working directory: in the container's root when a mount puts it there, else the same directory of the host, else
 * the container's root.
 */
async function workingDirectory({ config }: ContainerRecord, root: string): Promise<string> {
  const { workingDir } = config;
  if (workingDir === undefined || workingDir === '') return root;
  const inside = join(root, workingDir);
  const candidates = insideMount(workingDir, config.mounts) ? [inside, workingDir] : [workingDir, inside];
  for (const candidate of candidates) {
    if (candidate.startsWith('/') && (await isDirectory(candidate))) return candidate;
  }
  return root;
}

async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

/**
 * Starts the keeper of a container. Returns why that is not possible, or undefined when it was started; `attend` gets
 * it as a child process, which it is only for the agent that started it.
 */
export async function launch(deps: LaunchDeps, attend: (keeper: ChildProcess) => void): Promise<string | undefined> {
  const { record, paths } = deps;
  const { environment, directory } = await prepare(deps);
  const argv = [...record.config.command, ...record.config.args];
  const problem = await commandProblem(argv[0] ?? '', environment.all['PATH'] ?? '', directory);
  if (problem !== undefined) return problem;

  // Each container has its own copy, so an agent of another version can take it over. A killed agent may have started a
  // keeper that reads them only now: a script cut short would end with 0, as if the command had run.
  await writeText(paths.keeperScript, KEEPER, false);
  await writeText(paths.mainScript, mainScript(environmentScript(environment)), false);
  const output = await openOutput(record, paths);
  try {
    const keeper = spawn('/bin/sh', [paths.keeperScript, ...argv], {
      cwd: directory,
      env: { ...environment.plain },
      // A session of its own: neither the agent's end nor a Ctrl-C at its terminal reaches it.
      detached: true,
      stdio: ['ignore', output[0]?.fd ?? 'ignore', output[1]?.fd ?? 'ignore'],
    });
    keeper.unref();
    const started = new Promise<string | undefined>((resolve) => {
      keeper.once('error', (error) => resolve(errorText(error)));
      keeper.once('spawn', () => resolve(undefined));
    });
    attend(keeper);
    return await started;
  } catch (error) {
    // Some reasons (arguments too long) are thrown, others come as an event.
    return errorText(error);
  } finally {
    await Promise.all(output.map((file) => file.close()));
  }
}

/** The files for standard output and error, opened to append; none when the container has no log. */
async function openOutput(record: ContainerRecord, paths: ContainerPaths): Promise<FileHandle[]> {
  return record.logPath === '' ? [] : [await open(paths.stdout, 'a', 0o600), await open(paths.stderr, 'a', 0o600)];
}
