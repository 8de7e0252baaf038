import { resolve } from 'node:path';
import { isNodeName } from '@edge/config';
import { EdgeError } from '@edge/core';
import { usage } from '../flags/help.js';
import { parseOnlyFlags } from '../flags/parse.js';
import { readBoolean, type FlagSpec } from '../flags/spec.js';
import type { Terminal } from '../program.js';

const FLAGS: readonly FlagSpec[] = [
  { name: 'container-runtime-endpoint', value: 'socket', help: 'Socket of the container runtime, for --runtime cri. Looked for unless given.' },
  { name: 'data', value: 'folder', default: '.edge', help: 'Where cloud and agent keep everything. Starting again goes on with it.' },
  { name: 'help', shorthand: 'h', bare: 'true', help: 'Print this help, then exit.' },
  { name: 'node', value: 'string', default: 'edge-1', help: 'Name of the node of a new data folder.' },
  { name: 'port-base', value: 'port', help: 'First of nine ports in a row. 26440 unless given, or free ones when these are taken.' },
  { name: 'runtime', value: 'string', default: 'auto', help: 'Container runtime: auto, cri or process.' },
  { name: 'v', shorthand: 'v', value: 'Level', default: '0', help: 'How much detail the logs hold, 0 to 10.' },
];

/** Settings of `edgecore dev`. */
export interface DevSettings {
  readonly data: string;
  readonly node: string;
  readonly runtime: 'auto' | 'cri' | 'process';
  /** Socket of the container runtime; undefined: looked for. */
  readonly endpoint: string | undefined;
  /** First port, undefined for the usual one or free ones. */
  readonly portBase: number | undefined;
  readonly verbosity: string;
}

/** `edgecore dev`: an embedded cloud and an agent on this machine. */
export async function dev(args: readonly string[], terminal: Terminal): Promise<number> {
  const values = parseOnlyFlags(FLAGS, args);
  if (readBoolean(values['help'] ?? 'false')) {
    terminal.out(`Runs an embedded cloud and one edge node on this machine, for a first look.\n\n${usage('edgecore dev [flags]', [{ title: 'Flags', flags: FLAGS }])}`);
    return 0;
  }
  const { runDev } = await import('../dev/run-dev.js');
  return runDev(readSettings(values), terminal);
}

function readSettings(values: Readonly<Record<string, string>>): DevSettings {
  const node = values['node'] ?? 'edge-1';
  if (!isNodeName(node)) throw new EdgeError('cli.flag', `--node is "${node}", it must be lower-case letters, digits, "-" and "."`);
  const runtime = values['runtime'];
  if (runtime !== 'auto' && runtime !== 'cri' && runtime !== 'process') {
    throw new EdgeError('cli.flag', `--runtime is "${runtime ?? ''}", it must be auto, cri or process`);
  }
  const base = values['port-base'];
  const portBase = base === undefined ? undefined : Number(base);
  if (portBase !== undefined && (!Number.isInteger(portBase) || portBase < 1 || portBase > 65_527)) {
    throw new EdgeError('cli.flag', `--port-base is "${base ?? ''}", it must be 1 to 65527`);
  }
  const endpoint = values['container-runtime-endpoint'];
  if (endpoint !== undefined && runtime !== 'cri') throw new EdgeError('cli.flag', '--container-runtime-endpoint goes with --runtime cri');
  return { data: resolve(values['data'] ?? '.edge'), node, runtime, endpoint, portBase, verbosity: values['v'] ?? '0' };
}
