import { EdgeError } from '@edge/core';
import type { FlagSpec } from './spec.js';

export interface ParsedFlags {
  /** Flag → value as given, defaults included. */
  readonly values: Readonly<Record<string, string>>;
  readonly positional: readonly string[];
}

/**
 * Reads a command line as Go's pflag does: `--name value`, `--name=value`, `-n value`, `-nvalue`, `-n=value`,
 * `--` ends the flags. An underscore in a name counts as a dash.
 * @throws EdgeError `cli.flag` with pflag's wording of the reason
 */
export function parseFlags(specs: readonly FlagSpec[], args: readonly string[]): ParsedFlags {
  const values: Record<string, string> = {};
  for (const spec of specs) if (spec.default !== undefined) values[spec.name] = spec.default;
  const positional: string[] = [];
  const queue = [...args];
  for (let arg = queue.shift(); arg !== undefined; arg = queue.shift()) {
    if (arg === '--') {
      positional.push(...queue);
      break;
    }
    if (arg.startsWith('--')) long(arg);
    else if (arg.startsWith('-') && arg !== '-') short(arg);
    else positional.push(arg);
  }
  return { values, positional };

  function long(arg: string): void {
    const equals = arg.indexOf('=');
    const name = (equals < 0 ? arg.slice(2) : arg.slice(2, equals)).replaceAll('_', '-');
    const spec = specs.find((candidate) => candidate.name === name);
    if (!spec) throw new EdgeError('cli.flag', `unknown flag: --${name}`);
    set(spec, `--${name}`, equals < 0 ? (spec.bare ?? queue.shift()) : arg.slice(equals + 1));
  }

  function short(arg: string): void {
    const letter = arg.slice(1, 2);
    const spec = specs.find((candidate) => candidate.shorthand === letter);
    if (!spec) throw new EdgeError('cli.flag', `unknown shorthand flag: '${letter}' in ${arg}`);
    const rest = arg.slice(2).replace(/^=/, '');
    set(spec, `-${letter}`, rest === '' ? (spec.bare ?? queue.shift()) : rest);
  }

  function set(spec: FlagSpec, shown: string, value: string | undefined): void {
    if (value === undefined) throw new EdgeError('cli.flag', `flag needs an argument: ${shown}`);
    const problem = spec.check?.(value);
    if (problem) {
      const both = spec.shorthand ? `-${spec.shorthand}, --${spec.name}` : `--${spec.name}`;
      throw new EdgeError('cli.flag', `invalid argument ${JSON.stringify(value)} for "${both}" flag: ${problem}`);
    }
    values[spec.name] = value;
  }
}

/**
 * As `parseFlags`, for a command that takes flags alone.
 * @throws EdgeError `cli.flag` also for a word that belongs to no flag
 */
export function parseOnlyFlags(specs: readonly FlagSpec[], args: readonly string[]): Readonly<Record<string, string>> {
  const { values, positional } = parseFlags(specs, args);
  if (positional.length === 0) return values;
  throw new EdgeError('cli.flag', `unexpected "${positional.join(' ')}": it belongs to no flag (behind npm start, flags come after --)`);
}
