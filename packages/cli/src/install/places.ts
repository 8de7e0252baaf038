import { isAbsolute, join, resolve } from 'node:path';
import { EdgeError } from '@edge/core';
import { OPENRC_SCRIPT_PATH, SYSTEMD_UNIT_PATH } from '@edge/upgrade';
import { DEFAULT_CONFIG_PATH } from '../flags/spec.js';

/** Where everything of an installation is. */
export interface Places {
  /** Folder that stands for the machine; undefined: the machine itself. */
  readonly root: string | undefined;
  /** A path of the machine as it is below that folder. One that lies there already stays as it is. */
  readonly at: (path: string) => string;
  /** Folder with the versions. */
  readonly installation: string;
  /** What is run, by the service and by people. */
  readonly program: string;
  readonly configPath: string;
  /** Folder of copies and reports. */
  readonly stateFolder: string;
  readonly unit: string;
  readonly script: string;
}

/**
 * Reads `--root`, `--prefix` and `--config`.
 * @throws EdgeError `cli.flag` for a path that is not absolute
 */
export function readPlaces(values: Readonly<Record<string, string>>): Places {
  const root = values['root'] === undefined || resolve(values['root']) === '/' ? undefined : resolve(values['root']);
  const at = (path: string): string => (root === undefined || path === root || path.startsWith(`${root}/`) ? path : join(root, path));
  const prefix = values['prefix'] ?? '/usr/local';
  if (!isAbsolute(prefix)) throw new EdgeError('cli.flag', `--prefix is "${prefix}", it must be an absolute path`);
  return {
    root,
    at,
    installation: at(join(prefix, 'lib', 'edgecore')),
    program: at(join(prefix, 'bin', 'edgecore')),
    configPath: values['config'] === undefined ? at(DEFAULT_CONFIG_PATH) : resolve(values['config']),
    stateFolder: at('/etc/kubeedge'),
    unit: at(SYSTEMD_UNIT_PATH),
    script: at(OPENRC_SCRIPT_PATH),
  };
}
