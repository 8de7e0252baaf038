import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { replaceFile, replaceLink } from '../disk/files.js';
import { launcherScript } from './launcher.js';
import { layoutOf } from './layout.js';
import { writePlace, type Place } from './place.js';
import { Versions } from './versions.js';

/** What an installation is made of, once a version is in its place. */
export interface InstallationPlan extends Place {
  /** Absolute path of the installation's folder. */
  readonly root: string;
  /** Where people and the service find the program; a link to the launcher is made there. */
  readonly programPath: string;
  /** Path of Node.js. */
  readonly node: string;
  /** The version that is to run; it has been prepared. */
  readonly version: string;
}

/**
 * Makes an installation of a prepared version, or brings one up to date: launcher, link to it, the note of what is where. The
 * version is switched to if none is in use. May be done again at any time.
 * @throws EdgeError `upgrade.no-version` when the version is not there
 */
export async function layInstallation({ root, programPath, node, version, ...place }: InstallationPlan): Promise<void> {
  const layout = layoutOf(root);
  const versions = new Versions({ layout });
  if ((await versions.current()) === undefined) await versions.switchTo(version);
  await mkdir(place.stateFolder, { recursive: true });
  await writePlace(layout, { configPath: place.configPath, stateFolder: place.stateFolder, service: place.service });
  await replaceFile(layout.launcher, launcherScript(layout, node), 0o755);
  await mkdir(dirname(programPath), { recursive: true });
  await replaceLink(programPath, layout.launcher);
}
