import { existsSync } from 'node:fs';
import { readConfigFile } from '@edge/config';
import { CONTRACT_VERSIONS, errorText, readSlice, type ModuleDefinition } from '@edge/core';
import { gatherHostFacts } from '@edge/envcheck';
import { MODULES } from '../compose.js';
import { usage } from '../flags/help.js';
import { parseOnlyFlags } from '../flags/parse.js';
import { DEFAULT_CONFIG_PATH, readBoolean, type FlagSpec } from '../flags/spec.js';
import { loadModules } from '../modules/load-modules.js';
import { modulesJson, modulesTable, type ModulesFacts } from '../modules/report-modules.js';
import { readRoleFile } from '../modules/role-file.js';
import { unusedPackages } from '../modules/unused-packages.js';
import type { Terminal } from '../program.js';

const FLAGS: readonly FlagSpec[] = [
  { name: 'check', bare: 'true', help: 'Exit with code 2 when the modules do not fit together, or the role file cannot be followed.' },
  { name: 'config', value: 'string', help: `The configuration of the agent; the role file edge-modules.yaml lies beside it. ${DEFAULT_CONFIG_PATH} unless given, if that is there.` },
  { name: 'help', shorthand: 'h', bare: 'true', help: 'Print this help, then exit.' },
  { name: 'json', bare: 'true', help: 'Print JSON.' },
];

const HELP = `The modules of this agent: which package plays which role, in which version, from where, what it
needs, and whether the configuration switches it on. The agent itself starts with the same checks.

${usage('edgecore modules [flags]', [{ title: 'Flags', flags: FLAGS }])}`;

/** `edgecore modules`: the modules that an agent with this configuration would run, and what is wrong with them. */
export async function modules(args: readonly string[], terminal: Terminal): Promise<number> {
  const values = parseOnlyFlags(FLAGS, args);
  const on = (name: string): boolean => readBoolean(values[name] ?? 'false') ?? false;
  if (on('help')) {
    terminal.out(HELP);
    return 0;
  }
  const path = values['config'] ?? DEFAULT_CONFIG_PATH;
  let facts: ModulesFacts;
  try {
    facts = await gather(path, values['config'] !== undefined || existsSync(path));
  } catch (error) {
    terminal.err(`Error: ${errorText(error)}\n`);
    return 1;
  }
  terminal.out(on('json') ? modulesJson(facts) : modulesTable(facts));
  const { problems } = facts.loaded;
  for (const { text, instead, superseded } of problems) terminal.err(`${superseded ? 'superseded' : 'problem'}: ${text}${instead === undefined ? '' : `; ${instead}`}\n`);
  for (const { text } of facts.unused) terminal.err(`notice: ${text}\n`);
  return on('check') && problems.some(({ superseded }) => superseded !== true) ? 2 : 0;
}

async function gather(path: string, withConfig: boolean): Promise<ModulesFacts> {
  const config = withConfig ? ((await readConfigFile(path, await gatherHostFacts())).config as unknown as Record<string, unknown>) : undefined;
  const roleFile = await readRoleFile(path);
  const loaded = await loadModules(MODULES, roleFile, config === undefined ? {} : { config });
  const enabled = (module: ModuleDefinition): boolean | undefined => {
    const refused = loaded.problems.some(({ problem, module: role, instead }) => problem === 'config' && role === module.name && instead === undefined);
    return config === undefined || refused ? undefined : module.enabled(readSlice(module, loaded.config));
  };
  return { loaded, contract: CONTRACT_VERSIONS, roleFile, unused: unusedPackages(loaded.origins, roleFile.path), enabled };
}
