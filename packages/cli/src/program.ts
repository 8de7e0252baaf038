import { EdgeError, errorCode, errorText } from '@edge/core';
import { usage } from './flags/help.js';
import { parseFlags } from './flags/parse.js';
import { AGENT_FLAGS, readBoolean } from './flags/spec.js';
import { versionText } from './version.js';

/** Streams and surroundings of the program, so that tests can run it in their own process. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly columns?: number;
  out(text: string): void;
  err(text: string): void;
  /** Asks, and gives the line that was answered; empty when nobody answers. */
  ask?(question: string): Promise<string>;
}

const DESCRIPTION = `EdgeCore is the agent of an edge node. It joins the node to a Kubernetes cloud through
KubeEdge's CloudCore, runs pods there, and goes on when the link is down.

Besides running the agent there are commands: edgecore dev (a cloud and a node on this
machine, for a first look), edgecore join (writes a configuration), edgecore install and
uninstall (the program and its service), edgecore reset (takes all of the agent away),
edgecore upgrade, rollback and versions (other versions of it), edgecore modules (what the
agent is made of), edgecore module (list, swap: the modules of the agent that runs).
Each explains itself with --help.
`;

const USAGE_SECTIONS = [{ title: 'Global flags', flags: AGENT_FLAGS }] as const;

/** Commands besides the agent itself; loaded when they are asked for. */
const COMMANDS: Readonly<Record<string, () => Promise<(args: readonly string[], terminal: Terminal) => Promise<number>>>> = {
  dev: async () => (await import('./commands/dev.js')).dev,
  install: async () => (await import('./commands/install.js')).install,
  join: async () => (await import('./commands/join.js')).join,
  module: async () => (await import('./commands/module.js')).module,
  modules: async () => (await import('./commands/modules.js')).modules,
  reset: async () => (await import('./commands/reset.js')).reset,
  rollback: async () => (await import('./commands/upgrade.js')).rollback,
  uninstall: async () => (await import('./commands/install.js')).uninstall,
  upgrade: async () => (await import('./commands/upgrade.js')).upgrade,
  upgrader: async () => (await import('./commands/upgrader.js')).upgrader,
  versions: async () => (await import('./commands/upgrade.js')).versions,
};

/** Runs the program; resolves with its exit code. */
export async function main(args: readonly string[], terminal: Terminal): Promise<number> {
  const command = args[0] === undefined ? undefined : COMMANDS[args[0]];
  try {
    if (command) return await (await command())(args.slice(1), terminal);
    return await agent(args, terminal);
  } catch (error) {
    if (errorCode(error) !== 'cli.flag') throw error;
    if (command) {
      terminal.err(`Error: ${errorText(error)}\nAll flags: edgecore ${args[0] ?? ''} --help\n`);
      return 1;
    }
    terminal.err(`Error: ${errorText(error)}\n${usage('edgecore [flags]', USAGE_SECTIONS, terminal.columns)}\n`);
    return 1;
  }
}

async function agent(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positional } = parseFlags(AGENT_FLAGS, args);
  // Upstream ignores words behind the flags. A word in the first place is meant as a command.
  if (positional[0] !== undefined && positional[0] === args[0]) {
    throw new EdgeError('cli.flag', `unknown command "${positional[0]}"; there are ${Object.keys(COMMANDS).filter((name) => name !== 'upgrader').join(', ')}, and none at all runs the agent`);
  }
  const on = (name: string): boolean => readBoolean(values[name] ?? 'false') ?? false;
  if (on('help')) {
    terminal.out(`${DESCRIPTION}\n${usage('edgecore [flags]', USAGE_SECTIONS, terminal.columns)}`);
    return 0;
  }
  if (on('version')) {
    terminal.out(`${versionText()}\n`);
    return 0;
  }
  if (on('minconfig') || on('defaultconfig')) {
    const { printConfig } = await import('./agent/print-config.js');
    terminal.out(await printConfig(on('minconfig') ? 'min' : 'default'));
    return 0;
  }
  const { runAgent } = await import('./agent/run-agent.js');
  return runAgent(values, terminal);
}
