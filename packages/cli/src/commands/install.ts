import { EdgeError, errorCode, errorText } from '@edge/core';
import { usage } from '../flags/help.js';
import { parseOnlyFlags } from '../flags/parse.js';
import { DEFAULT_CONFIG_PATH, readBoolean, type FlagSpec } from '../flags/spec.js';
import { install as layAll, mustBeRoot } from '../install/install.js';
import { readPlaces } from '../install/places.js';
import { readService } from '../install/service-choice.js';
import { foldersOfInstallation, removeEmptyFolders, stopAgent, uninstall as takeAway } from '../install/uninstall.js';
import type { Terminal } from '../program.js';

/** Where things are; the same for every command about an installation. */
export const PLACE_FLAGS: readonly FlagSpec[] = [
  { name: 'config', value: 'string', help: `The path to the configuration file. ${DEFAULT_CONFIG_PATH} unless given.` },
  { name: 'help', shorthand: 'h', bare: 'true', help: 'Print this help, then exit.' },
  { name: 'prefix', value: 'folder', default: '/usr/local', help: 'The program is put into lib/edgecore and bin of this folder.' },
  { name: 'root', value: 'folder', help: 'Everything goes below this folder; the machine itself and its services are not touched.' },
];

const FLAGS: readonly FlagSpec[] = [
  ...PLACE_FLAGS,
  { name: 'from', value: 'path', help: 'Folder of packed packages that the version comes from. A copy of the program that runs unless given.' },
  { name: 'registry', value: 'url', help: 'Registry that the version comes from.' },
  { name: 'service', value: 'string', help: 'What keeps the agent running: systemd, openrc or none. What this machine has unless given.' },
].sort((a, b) => (a.name < b.name ? -1 : 1));

const INSTALL_HELP = `Installs this version of the agent and its service, and starts it. The configuration has to be there
(edgecore join). Doing it again brings what is there up to date.

${usage('edgecore install [flags]', [{ title: 'Flags', flags: FLAGS }])}`;

const UNINSTALL_HELP = `Stops the agent, and removes its service and all installed versions. Configuration, certificates, data
and pods stay. What the installation had replaced comes back.

${usage('edgecore uninstall [flags]', [{ title: 'Flags', flags: PLACE_FLAGS }])}`;

/** `edgecore install`. */
export function install(args: readonly string[], terminal: Terminal): Promise<number> {
  return answered(terminal, async () => {
    const values = parseOnlyFlags(FLAGS, args);
    if (readBoolean(values['help'] ?? 'false')) return terminal.out(INSTALL_HELP);
    const places = readPlaces(values);
    mustBeRoot(places, 'install');
    const { from, registry } = values;
    const program = process.argv[1];
    if (program === undefined) throw new EdgeError('cli.install', 'this program does not know its own file');
    await layAll({ places, service: readService(values['service']), program, source: from === undefined && registry === undefined ? undefined : { from, registry }, out: (text) => terminal.out(text) });
  });
}

/** `edgecore uninstall`. */
export function uninstall(args: readonly string[], terminal: Terminal): Promise<number> {
  return answered(terminal, async () => {
    const values = parseOnlyFlags(PLACE_FLAGS, args);
    if (readBoolean(values['help'] ?? 'false')) return terminal.out(UNINSTALL_HELP);
    const places = readPlaces(values);
    mustBeRoot(places, 'uninstall');
    await stopAgent(places);
    const removed = await takeAway(places);
    await removeEmptyFolders(foldersOfInstallation(places));
    terminal.out(removed.length === 0 ? `Nothing is installed in ${places.installation}.\n` : removed.map((path) => `Removed ${path}.\n`).join(''));
  });
}

/** What is wrong goes to the user in one line; a programming error does not end here. */
export async function answered(terminal: Terminal, work: () => Promise<number | void>): Promise<number> {
  try {
    return (await work()) ?? 0;
  } catch (error) {
    // A wrong flag is explained by the program, which knows how the command is called.
    if (errorCode(error) === 'cli.flag' || errorCode(error) === 'unknown') throw error;
    terminal.err(`Error: ${errorText(error)}\n`);
    return 1;
  }
}
