import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readConfigFile } from '@edge/config';
import { EdgeError, silentLogger } from '@edge/core';
import { gatherHostFacts } from '@edge/envcheck';
import { layInstallation, layoutOf, openrcScript, prepareVersion, systemdUnit, Versions, type ServiceKind, type ServiceOptions, type Source } from '@edge/upgrade';
import { DEFAULT_CONFIG_PATH } from '../flags/spec.js';
import { AGENT_VERSION } from '../version.js';
import { copyOwnProgram } from './own-copy.js';
import { OWN_LINE, setAsideForLink, writeOwnFile } from './own-file.js';
import type { Places } from './places.js';
import { managerOf } from './service-choice.js';
import { serviceOptions } from './service-options.js';
import { mustNotChange } from './uninstall.js';

/** A version that has not come by then over a thin link is asked for again. */
const LONGEST_FETCH_MS = 3_600_000;

const run = promisify(execFile);

export interface InstallOptions {
  readonly places: Places;
  readonly service: ServiceKind;
  /** Main file of the program that runs. */
  readonly program: string;
  /** Where the version comes from; a copy of the running program unless given. */
  readonly source: Source | undefined;
  readonly out: (text: string) => void;
}

/**
 * Lays the running program as a version of its own, with its launcher and its service, and starts it. May be done again: what is
 * as it should be stays, a version that is there is not written anew.
 * @throws EdgeError `cli.install`, `upgrade.service`, and what is wrong with the configuration
 */
export async function install({ places, service, program, source, out }: InstallOptions): Promise<void> {
  const { config } = await readConfigFile(places.configPath, await gatherHostFacts());
  const layout = layoutOf(places.installation);
  await mustNotChange(layout);
  const versions = new Versions({ layout });
  if (!versions.isWhole(AGENT_VERSION)) await layVersion(versions, places, program, source);
  const before = await versions.current();
  if (before !== undefined && before !== AGENT_VERSION) await versions.switchTo(AGENT_VERSION);
  await setAsideForLink(places.program, layout.launcher);
  await layInstallation({ root: places.installation, programPath: places.program, node: process.execPath, version: AGENT_VERSION, configPath: places.configPath, stateFolder: places.stateFolder, service });
  out(`Installed version ${AGENT_VERSION} in ${places.installation}; it runs as ${places.program}.\n`);
  const changed = await writeService(places, service, serviceOptions(config, places.program, configArgs(places)), out);
  if (places.root !== undefined || service === 'none') {
    out(service === 'none' ? `No service manager: start it with ${[places.program, ...configArgs(places)].join(' ')}\n` : `The machine itself was not touched: the service is not started.\n`);
    return;
  }
  const manager = managerOf(service);
  await manager?.register();
  // A version or unit that is new is used from a start on; one that runs as it should goes on.
  if ((changed || before !== AGENT_VERSION) && (await manager?.running()) !== undefined) await manager?.stop();
  await manager?.start();
  out(`The service edgecore is started and starts with the machine (${service}).\n`);
}

async function layVersion(versions: Versions, places: Places, program: string, source: Source | undefined): Promise<void> {
  const layout = layoutOf(places.installation);
  if (source) return prepareVersion(AGENT_VERSION, undefined, { layout, versions, source, log: silentLogger, signal: AbortSignal.timeout(LONGEST_FETCH_MS) });
  const partial = join(layout.versions, `.${AGENT_VERSION}.copy.partial`);
  await rm(partial, { recursive: true, force: true });
  await copyOwnProgram(program, partial);
  // On the disk before it has its name, or a loss of power would leave a version of empty files.
  await run('sync', ['-f', partial]);
  await versions.adopt(partial, { version: AGENT_VERSION, integrity: '' });
}

async function writeService(places: Places, service: ServiceKind, options: ServiceOptions, out: (text: string) => void): Promise<boolean> {
  if (service === 'none') return false;
  const { path, text, mode } =
    service === 'systemd'
      ? { path: places.unit, text: `# ${OWN_LINE}\n${systemdUnit(options)}`, mode: 0o644 }
      : { path: places.script, text: openrcScript(options).replace('\n', `\n# ${OWN_LINE}\n`), mode: 0o755 };
  const changed = await writeOwnFile(path, text, mode);
  out(`${changed ? 'Wrote' : 'Unchanged:'} ${path}.\n`);
  return changed;
}

function configArgs({ configPath }: Places): string[] {
  return configPath === DEFAULT_CONFIG_PATH ? [] : ['--config', configPath];
}

/** @throws EdgeError `cli.install` for a user who may not change the machine */
export function mustBeRoot(places: Places, what: string): void {
  if (places.root === undefined && process.getuid?.() !== 0) throw new EdgeError('cli.install', `edgecore ${what} changes this machine and needs root: use sudo, or --root to work in a folder`);
}
