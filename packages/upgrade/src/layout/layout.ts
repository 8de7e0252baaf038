import { join } from 'node:path';

/** Where an installation is, unless told otherwise. */
export const INSTALLATION_ROOT = '/usr/local/lib/edgecore';

/** Name of the environment variable by which an agent knows the installation that it runs from. */
export const INSTALLATION_VARIABLE = 'EDGECORE_INSTALLATION';

/** The package that is installed; all else comes with it. */
export const TOP_PACKAGE = '@edge/cli';

/** The file of a version that the launcher runs. */
export const MAIN_FILE = `node_modules/${TOP_PACKAGE}/dist/main.js`;

/** The file of a version that is there only when the version is whole. */
export const WHOLE_FILE = 'edgecore.json';

/** The paths of an installation. */
export interface Layout {
  readonly root: string;
  /** One folder a version, each an npm installation of its own. */
  readonly versions: string;
  /** Link to the version that runs. */
  readonly current: string;
  /** Link to the version that ran before. */
  readonly previous: string;
  /** Link to the version whose program carries out the change that is under way. */
  readonly keeper: string;
  /** The script that starts the current version. */
  readonly launcher: string;
  /** Where the installation's configuration and reports are. */
  readonly place: string;
  /** The change that is under way; not there when there is none. */
  readonly journal: string;
  /** The last change that came to its end. */
  readonly last: string;
  /** Texts of the configuration before and after a change. */
  readonly configurationBefore: string;
  readonly configurationAfter: string;
  /** While the process named in it lives, the agent is not to be started. */
  readonly hold: string;
  /** The process that carries out the change. */
  readonly upgrader: string;
  /** What that process says. */
  readonly log: string;
  /** Process id of the agent. */
  readonly agentPid: string;
  /** How the agent is, by its own account. */
  readonly status: string;
  /** A line for each start of the agent since a version is on trial. */
  readonly starts: string;
}

/** @param root absolute path of the installation's folder */
export function layoutOf(root: string): Layout {
  const at = (name: string): string => join(root, name);
  return {
    root,
    versions: at('versions'),
    current: at('current'),
    previous: at('previous'),
    keeper: at('keeper'),
    launcher: at('launcher'),
    place: at('installation.json'),
    journal: at('journal.json'),
    last: at('last.json'),
    configurationBefore: at('configuration.before'),
    configurationAfter: at('configuration.after'),
    hold: at('hold'),
    upgrader: at('upgrader'),
    log: at('upgrade.log'),
    agentPid: at('agent.pid'),
    status: at('status.json'),
    starts: at('starts'),
  };
}

/** Folder of a version. */
export function versionFolder(layout: Layout, version: string): string {
  return join(layout.versions, version);
}
