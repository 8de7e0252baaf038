import { dirname } from 'node:path';
import { readJson, replaceFile } from '../disk/files.js';
import { upgradeError, UpgradeErrors } from '../errors.js';
import { SERVICE_KINDS, type ServiceKind } from '../service/service-kind.js';
import type { Layout } from './layout.js';

/** What an installation has outside of its folder. */
export interface Place {
  /** The agent's configuration. */
  readonly configPath: string;
  /** Folder of copies and reports, `/etc/kubeedge` upstream. */
  readonly stateFolder: string;
  /** What starts the agent again when it ends; `none`: something that is not known. */
  readonly service: ServiceKind;
}

export async function writePlace(layout: Layout, place: Place): Promise<void> {
  await replaceFile(layout.place, `${JSON.stringify(place)}\n`, 0o644);
}

/** @throws EdgeError `upgrade.no-installation` */
export async function readPlace(layout: Layout): Promise<Place> {
  const { configPath, stateFolder, service = 'none' } = ((await readJson(layout.place)) ?? {}) as Partial<Place>;
  if (typeof configPath !== 'string' || typeof stateFolder !== 'string' || !SERVICE_KINDS.includes(service)) {
    throw upgradeError(UpgradeErrors.noInstallation, `${layout.place} is not there or damaged: there is no installation in ${dirname(layout.place)}; "edgecore install" makes one`);
  }
  return { configPath, stateFolder, service };
}
