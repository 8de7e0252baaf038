import { join, resolve } from 'node:path';
import { readConfigFile, type EdgeCoreConfig } from '@edge/config';
import { EdgeError, errorCode, errorText } from '@edge/core';
import { gatherHostFacts } from '@edge/envcheck';
import { fetchPackage } from '@edge/upgrade';
import { order } from '../control/control-client.js';
import { controlSocket, modulesFolder } from '../control/control-paths.js';
import type { ModuleRow, SwapReport } from '../control/module-orders.js';
import { usage } from '../flags/help.js';
import { parseFlags, parseOnlyFlags } from '../flags/parse.js';
import { DEFAULT_CONFIG_PATH, readBoolean, type FlagSpec } from '../flags/spec.js';
import type { Terminal } from '../program.js';
import { wantedPackage } from './wanted-package.js';

const CONFIG: FlagSpec = { name: 'config', value: 'path', default: DEFAULT_CONFIG_PATH, help: 'Configuration of the agent that runs.' };
const HELP: FlagSpec = { name: 'help', shorthand: 'h', bare: 'true', help: 'Print this help, then exit.' };
const LIST_FLAGS: readonly FlagSpec[] = [CONFIG, HELP, { name: 'json', bare: 'true', help: 'Print JSON.' }];
const SWAP_FLAGS: readonly FlagSpec[] = [
  { name: 'built-in', bare: 'true', help: 'Back to the module that came with the agent.' },
  CONFIG,
  { name: 'from', value: 'path', help: 'Folder of packed packages (*.tgz), or one of them; what it lacks comes from the registry.' },
  HELP,
  { name: 'registry', value: 'url', help: 'Registry of packages; edge.upgrade.registry of the configuration unless given.' },
  { name: 'timeout', value: 'seconds', help: 'Time that the new version has to get ready; edge.readyTimeoutSeconds of the configuration unless given.' },
];

const ABOUT = `Modules of the agent that runs on this node.

  edgecore module list                        which run, in which version, how they are
  edgecore module swap ROLE VERSION           another version of the same package
  edgecore module swap ROLE PACKAGE[@VERSION] another package
  edgecore module swap ROLE --built-in        back to what came with the agent

A swap fetches the new version into a folder of its own, stops the old one, starts the new one and watches it, while all
other modules and the pods run on; messages for the role wait meanwhile. A version that is not ready in time, or ends again
soon, is taken back by itself, as it is when this command is ended before it is done. One that works is written into
edge-modules.yaml beside the configuration, so that the next start keeps it.

`;

const STEPS: Readonly<Record<string, string>> = {
  stopping: 'Stopping the old one ...',
  starting: 'Starting the new one ...',
  watching: 'It is ready. Watching it ...',
  returning: 'It does not work. Going back ...',
};

/** `edgecore module list`, `edgecore module swap`. */
export async function module(args: readonly string[], terminal: Terminal): Promise<number> {
  const [word, ...rest] = args;
  try {
    if (word === 'list') return await list(rest, terminal);
    if (word === 'swap') return await swap(rest, terminal);
  } catch (error) {
    if (!/^(cli\.(control|no-agent|swap)|upgrade|config|core|modules)(\.|$)/.test(errorCode(error))) throw error;
    terminal.err(`Error: ${errorText(error)}\n`);
    return 1;
  }
  const wrong = word !== undefined && !word.startsWith('-') ? `, not "${word}"` : '';
  if (wrong !== '' || readBoolean(parseOnlyFlags([HELP], args)['help'] ?? 'false') !== true) throw new EdgeError('cli.flag', `edgecore module needs "list" or "swap"${wrong}`);
  terminal.out(`${ABOUT}${usage('edgecore module list|swap [flags]', [{ title: 'Flags of list', flags: LIST_FLAGS }, { title: 'Flags of swap', flags: SWAP_FLAGS }])}`);
  return 0;
}

async function list(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positional } = parseFlags(LIST_FLAGS, args);
  if (readBoolean(values['help'] ?? 'false')) {
    terminal.out(`${ABOUT}${usage('edgecore module list [flags]', [{ title: 'Flags', flags: LIST_FLAGS }])}`);
    return 0;
  }
  if (positional[0] !== undefined) throw new EdgeError('cli.flag', `unexpected "${positional[0]}": edgecore module list takes flags alone`);
  const { config } = await configOf(values);
  const rows = await modulesOf(config, new AbortController().signal);
  terminal.out(readBoolean(values['json'] ?? 'false') ? `${JSON.stringify(rows, undefined, 2)}\n` : table(rows));
  return 0;
}

async function swap(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positional } = parseFlags(SWAP_FLAGS, args);
  if (readBoolean(values['help'] ?? 'false')) {
    terminal.out(`${ABOUT}${usage('edgecore module swap ROLE VERSION|PACKAGE[@VERSION]|--built-in [flags]', [{ title: 'Flags', flags: SWAP_FLAGS }])}`);
    return 0;
  }
  const builtIn = readBoolean(values['built-in'] ?? 'false') ?? false;
  const [role, what, more] = positional;
  if (role === undefined || more !== undefined || (what === undefined) !== builtIn) {
    throw new EdgeError('cli.flag', 'edgecore module swap needs a role, and either a version, a package (perhaps with @version), or --built-in');
  }
  const readyTimeoutSeconds = secondsOf(values['timeout']);
  const say = (text: string): void => terminal.out(`${text}\n`);
  using interrupted = interruption();
  const { signal } = interrupted;
  try {
    const { config } = await configOf(values);
    const rows = await modulesOf(config, signal);
    const present = rows.find((row) => row.role === role);
    if (!present) throw new EdgeError('cli.swap', `this agent has no module ${role}; it has ${rows.map((row) => row.role).join(', ')}`);
    const entry = what === undefined ? undefined : await fetch(role, what, present, values, config, say, signal);
    const report = (await order(
      controlSocket(config.database.dataSource),
      { order: 'swap', role, entry, ...(readyTimeoutSeconds === undefined ? {} : { readyTimeoutSeconds }) },
      (step) => say(STEPS[step] ?? step),
      signal,
    )) as SwapReport;
    return tell(role, report, terminal);
  } catch (error) {
    if (!signal.aborted) throw error;
    terminal.err('Error: it was interrupted; the agent goes back to the version from before, if it had begun\n');
    return 1;
  }
}

async function fetch(role: string, what: string, present: ModuleRow, values: Readonly<Record<string, string>>, config: EdgeCoreConfig, say: (text: string) => void, signal: AbortSignal): Promise<{ package: string; version: string; folder: string }> {
  const { registry: configured } = config.edge.upgrade;
  const { name, version } = wantedPackage(what, present.package);
  const from = values['from'];
  const source = { registry: values['registry'] ?? (configured === '' ? undefined : configured), from: from === undefined ? undefined : resolve(from) };
  say(`Fetching ${name}${version === undefined ? '' : `@${version}`} ...`);
  const fetched = await fetchPackage({ name, version, into: join(modulesFolder(config.database.dataSource), role), source }, signal);
  say(`It is here and whole. Swapping ${role} from ${present.package}@${present.version} to ${name}@${fetched.version}.`);
  return { package: name, version: fetched.version, folder: fetched.folder };
}

function tell(role: string, report: SwapReport, terminal: Terminal): number {
  const { result, from, to, reason, serving, pausedMs, leftBehind, notKept } = report;
  for (const version of leftBehind) terminal.err(`Warning: ${version} did not stop in time; it is cut off, and what it holds may be held until the agent is started again\n`);
  if (result === 'returned') {
    terminal.err(`Error: ${from} ${serving ? 'runs again' : 'has its place again, and does not run'}, for ${to} did not work: ${reason ?? 'it is not known why'}\n`);
    return 1;
  }
  terminal.out(result === 'noted' ? `Done: ${role} is switched off by the configuration; it will be ${to} when it is switched on.\n` : `Done: ${to} runs. Messages for ${role} waited ${Math.max(1, Math.round(pausedMs))} ms.\n`);
  if (notKept === undefined) return 0;
  terminal.err(`Error: the next start of the agent does not know of it: ${notKept}\n`);
  return 1;
}

async function configOf(values: Readonly<Record<string, string>>): Promise<{ readonly config: EdgeCoreConfig }> {
  return readConfigFile(values['config'] ?? DEFAULT_CONFIG_PATH, await gatherHostFacts());
}

async function modulesOf(config: EdgeCoreConfig, signal: AbortSignal): Promise<readonly ModuleRow[]> {
  return (await order(controlSocket(config.database.dataSource), { order: 'list' }, () => undefined, signal)) as readonly ModuleRow[];
}

function table(rows: readonly ModuleRow[]): string {
  const cells = [['MODULE', 'PACKAGE', 'VERSION', 'STATE', 'RESTARTS', 'FROM'], ...rows.map((row) => [row.role, row.package, row.version, row.phase, String(row.restarts), row.folder ?? 'built in'])];
  const widths = cells[0]?.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0))) ?? [];
  return cells.map((row) => `${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()}\n`).join('');
}

function secondsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = Number(text);
  if (!Number.isInteger(seconds) || seconds < 1) throw new EdgeError('cli.flag', `--timeout is "${text}", it must be a number of seconds`);
  return seconds;
}

/** Ctrl-C and the end of the terminal. */
function interruption(): Disposable & { readonly signal: AbortSignal } {
  const stop = new AbortController();
  const end = (): void => stop.abort();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of signals) process.on(name, end);
  return {
    signal: stop.signal,
    [Symbol.dispose]: () => {
      for (const name of signals) process.off(name, end);
    },
  };
}
