import { existsSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '@edge/core';
import { Upgrader } from './change/upgrader.js';
import { Installation, type InstallationDeps } from './installation.js';
import { INSTALLATION_VARIABLE, layoutOf, type Layout } from './layout/layout.js';
import { readPlace, type Place } from './layout/place.js';
import { Versions } from './layout/versions.js';
import { startOutside } from './process/outside.js';
import { ReportFile } from './report/report-file.js';
import { Openrc } from './service/openrc.js';
import { ParentService } from './service/parent.js';
import { runCommand } from './service/run-command.js';
import type { ServiceKind } from './service/service-kind.js';
import { Systemd } from './service/systemd.js';
import type { ServiceManager } from './service-manager.js';

/** Milliseconds that the agent may take to stop: what it needs itself, and as much again. */
const STOP_MS = 60_000;

/** What an installation is opened with besides what it knows itself. */
export type InstallationOptions = Pick<InstallationDeps, 'source' | 'databasePath' | 'readyTimeoutSeconds' | 'settleSeconds' | 'editConfiguration' | 'copyData' | 'log'>;

/** @throws EdgeError `upgrade.no-installation` when there is none at the root */
export async function openInstallation(root: string, options: InstallationOptions): Promise<Installation> {
  const layout = layoutOf(root);
  const place = await readPlace(layout);
  return new Installation({
    ...options,
    layout,
    place,
    versions: new Versions({ layout }),
    reports: new ReportFile({ stateFolder: place.stateFolder }),
    startUpgrader: (main) => startUpgrader(layout, main, options.log),
  });
}

/** Carries out the change that is under way, in this process; resolves with false when another process does. */
export async function carryOut(root: string, log: Logger): Promise<boolean> {
  const layout = layoutOf(root);
  const read: Place = await readPlace(layout);
  // A link to the configuration stays one: what it points to is changed.
  const place = existsSync(read.configPath) ? { ...read, configPath: await realpath(read.configPath) } : read;
  const manager = managerOf(place.service);
  return new Upgrader({
    layout,
    place,
    versions: new Versions({ layout }),
    service: new ParentService({ layout, stopMs: STOP_MS, ...(manager ? { manager } : {}) }),
    reports: new ReportFile({ stateFolder: place.stateFolder }),
    log,
  }).run();
}

/** Starts a process outside of this one that carries out the change that is under way. */
export async function startUpgrader(layout: Layout, main: string, log: Logger): Promise<void> {
  await startOutside({ layout, command: [process.execPath, main, 'upgrader', '--installation', layout.root], log });
}

/** Root of the installation that this process runs from, by the launcher's word or by where its program lies. */
export function ownRoot(env: Readonly<Record<string, string | undefined>>, program: string | undefined): string | undefined {
  const named = env[INSTALLATION_VARIABLE];
  if (named !== undefined && named !== '') return named;
  const [, root] = /^(.+)\/(?:current|previous|keeper|versions\/[^/]+)\/node_modules\//.exec(program ?? '') ?? [];
  return root !== undefined && existsSync(join(root, 'installation.json')) ? root : undefined;
}

function managerOf(kind: ServiceKind): Pick<ServiceManager, 'start'> | undefined {
  if (kind === 'none') return undefined;
  return kind === 'systemd' ? new Systemd({ run: runCommand }) : new Openrc({ run: runCommand });
}
