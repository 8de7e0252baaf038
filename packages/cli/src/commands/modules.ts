import { checkModules, CONTRACT_VERSIONS, type ModuleDefinition } from '@edge/core';
import { MODULES } from '../compose.js';
import { usage } from '../flags/help.js';
import { parseOnlyFlags } from '../flags/parse.js';
import { readBoolean, type FlagSpec } from '../flags/spec.js';
import type { Terminal } from '../program.js';

const FLAGS: readonly FlagSpec[] = [
  { name: 'check', bare: 'true', help: 'Exit with code 2 when the modules do not fit together.' },
  { name: 'help', shorthand: 'h', bare: 'true', help: 'Print this help, then exit.' },
  { name: 'json', bare: 'true', help: 'Print JSON.' },
];

/** `edgecore modules`: the modules of this agent, their versions and the ranges they need. */
export async function modules(args: readonly string[], terminal: Terminal): Promise<number> {
  const values = parseOnlyFlags(FLAGS, args);
  const on = (name: string): boolean => readBoolean(values[name] ?? 'false') ?? false;
  if (on('help')) {
    terminal.out(`The modules of this agent, their versions and what they need.\n\n${usage('edgecore modules [flags]', [{ title: 'Flags', flags: FLAGS }])}`);
    return 0;
  }
  const problems = checkModules(MODULES, CONTRACT_VERSIONS);
  terminal.out(
    on('json')
      ? `${JSON.stringify({ contract: CONTRACT_VERSIONS, modules: MODULES.map(describe), problems }, undefined, 2)}\n`
      : `${table(MODULES)}\ncontract: ${ranges(CONTRACT_VERSIONS)}\n`,
  );
  for (const problem of problems) terminal.err(`${problem.text}\n`);
  return on('check') && problems.length > 0 ? 2 : 0;
}

function describe(module: ModuleDefinition): Record<string, unknown> {
  const { name, packageName, version, requires, wire, after } = module;
  return { name, package: packageName, version, requires, wire, after };
}

function table(list: readonly ModuleDefinition[]): string {
  const rows = [
    ['MODULE', 'PACKAGE', 'VERSION', 'NEEDS', 'BUS NAME', 'GROUP'],
    ...list.map((module) => [module.name, module.packageName, module.version, ranges(module.requires), module.wire.module, module.wire.group]),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) => `${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()}\n`).join('');
}

function ranges(needs: Readonly<Record<string, string>>): string {
  return Object.entries(needs)
    .map(([name, range]) => `${name} ${range}`)
    .join(', ');
}
