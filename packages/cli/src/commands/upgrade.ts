import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { readConfigFile } from '@edge/config';
import { EdgeError, errorCode, errorText } from '@edge/core';
import { gatherHostFacts } from '@edge/envcheck';
import { INSTALLATION_ROOT, layoutOf, ownRoot, readPlace, readJournal, versionLabel, Versions, type Installation } from '@edge/upgrade';
import { openNodeInstallation } from '../agent/node-installation.js';
import { usage } from '../flags/help.js';
import { parseOnlyFlags } from '../flags/parse.js';
import { readBoolean, type FlagSpec } from '../flags/spec.js';
import { createKlog } from '../log/klog.js';
import type { Terminal } from '../program.js';

const COMMON: readonly FlagSpec[] = [
  { name: 'force', bare: 'true', help: 'Accepted for compatibility; nothing is asked.' },
  { name: 'help', shorthand: 'h', bare: 'true', help: 'Print this help, then exit.' },
  { name: 'installation', value: 'folder', help: `Folder of the installation. The one that this program belongs to, or ${INSTALLATION_ROOT}.` },
  { name: 'timeout', value: 'seconds', help: 'Time that the version has to get Ready; edge.upgrade.readyTimeoutSeconds of the configuration unless given.' },
];

const UPGRADE_FLAGS: readonly FlagSpec[] = [
  ...COMMON,
  { name: 'digest', value: 'digest', help: "Digest that the package's archive has to have: sha512-<base64>, sha512:<hex> or sha256:<hex>." },
  { name: 'from', value: 'path', help: 'Folder of packed packages (*.tgz), or one of them, instead of a registry.' },
  { name: 'registry', value: 'url', help: 'Registry of packages; edge.upgrade.registry of the configuration unless given.' },
  { name: 'to-version', value: 'string', help: 'The version, as v1.23.1. The newest of the source unless given.' },
  { name: 'toVersion', value: 'string', help: 'The same as --to-version.' },
];

const ROLLBACK_FLAGS: readonly FlagSpec[] = [...COMMON, { name: 'historical-version', value: 'string', help: 'The version, one of edgecore versions. The one from before unless given.' }];

type Values = Readonly<Record<string, string>>;

/** `edgecore upgrade`. */
export function upgrade(args: readonly string[], terminal: Terminal): Promise<number> {
  const about = `Fetches another version of the agent, lays it beside the one that runs, switches, and watches over it.
A version that is not Ready in time is taken back by itself. Pods run on.

${usage('edgecore upgrade [flags]', [{ title: 'Flags', flags: UPGRADE_FLAGS }])}`;
  return change(parseOnlyFlags(UPGRADE_FLAGS, args), about, terminal, async (installation, values, say) => {
    const version = values['to-version'] ?? values['toVersion'] ?? (await installation.newest(interrupted()));
    say(`Fetching ${version} ...`);
    await installation.prepare({ version, ...(values['digest'] === undefined ? {} : { digest: values['digest'] }) }, interrupted());
    say(`It is here and whole. Switching from ${await installation.running()}; this command may be ended, the upgrade goes on.`);
    await installation.upgrade({ version, ...timeoutOf(values) });
  });
}

/** `edgecore rollback`. */
export function rollback(args: readonly string[], terminal: Terminal): Promise<number> {
  const about = `Goes back to a version of the agent that is kept, as an upgrade: it is watched, and taken back if it is not
Ready in time. The data go along. Pods run on.

${usage('edgecore rollback [flags]', [{ title: 'Flags', flags: ROLLBACK_FLAGS }])}`;
  return change(parseOnlyFlags(ROLLBACK_FLAGS, args), about, terminal, async (installation, values, say) => {
    say(`Going back from ${await installation.running()} ...`);
    await installation.rollBack({ version: values['historical-version'], ...timeoutOf(values) });
  });
}

/** `edgecore versions`. */
export async function versions(args: readonly string[], terminal: Terminal): Promise<number> {
  const flags = COMMON.filter(({ name }) => name === 'help' || name === 'installation');
  const values = parseOnlyFlags(flags, args);
  if (readBoolean(values['help'] ?? 'false')) {
    terminal.out(`The versions of the agent on this node.\n\n${usage('edgecore versions [flags]', [{ title: 'Flags', flags }])}`);
    return 0;
  }
  const layout = layoutOf(rootOf(values, terminal));
  const there = new Versions({ layout });
  const [list, current, previous, journal] = [await there.list(), await there.current(), await there.previous(), await readJournal(layout)];
  const note = (version: string): string => (version === current ? '  in use' : version === previous ? '  from before' : '');
  terminal.out(list.map((version) => `${versionLabel(version)}${note(version)}\n`).join('') || `There is no version below ${layout.versions}.\n`);
  if (journal) terminal.out(`A change is under way: ${journal.event} from ${versionLabel(journal.from)} to ${versionLabel(journal.to)} (${journal.phase}).\n`);
  return 0;
}

async function change(values: Values, about: string, terminal: Terminal, work: (installation: Installation, values: Values, say: (text: string) => void) => Promise<void>): Promise<number> {
  if (readBoolean(values['help'] ?? 'false')) {
    terminal.out(about);
    return 0;
  }
  try {
    const installation = await openFor(values, terminal);
    const before = await installation.lastChange();
    await work(installation, values, (text) => terminal.out(`${text}\n`));
    while (await installation.isBusy()) await pause(250);
    const last = await installation.lastChange();
    if (last === undefined || last.success || last.id === before?.id) {
      terminal.out(`Done: ${await installation.running()} runs.\n`);
      return 0;
    }
    terminal.err(`Error: ${versionLabel(last.from)} runs again, for ${versionLabel(last.to)} did not work: ${last.reason ?? 'it is not known why'}\n`);
    return 1;
  } catch (error) {
    if (!/^(upgrade|config)\./.test(errorCode(error))) throw error;
    terminal.err(`Error: ${errorText(error)}\n`);
    return 1;
  }
}

async function openFor(values: Values, terminal: Terminal): Promise<Installation> {
  const root = rootOf(values, terminal);
  const { configPath } = await readPlace(layoutOf(root));
  const host = await gatherHostFacts();
  const { config } = await readConfigFile(configPath, host);
  const log = createKlog({ write: () => undefined }, { level: 0, patterns: [] });
  const from = values['from'];
  return openNodeInstallation(root, { config, configPath, host, log }, { registry: values['registry'], from: from === undefined ? undefined : resolve(from) });
}

function rootOf(values: Values, terminal: Terminal): string {
  const named = values['installation'];
  if (named !== undefined) return resolve(named);
  const own = ownRoot(terminal.env, process.argv[1]);
  return own !== undefined && existsSync(own) ? own : INSTALLATION_ROOT;
}

function timeoutOf(values: Values): { readyTimeoutSeconds?: number } {
  const text = values['timeout'];
  if (text === undefined) return {};
  const seconds = Number(text);
  if (!Number.isInteger(seconds) || seconds < 1) throw new EdgeError('cli.flag', `--timeout is "${text}", it must be a number of seconds`);
  return { readyTimeoutSeconds: seconds };
}

/** Ctrl-C ends what can be ended without a trace. */
function interrupted(): AbortSignal {
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  return stop.signal;
}
