/** Default place of the configuration. */
export const DEFAULT_CONFIG_PATH = '/etc/kubeedge/config/edgecore.yaml';

/** One command-line flag. */
export interface FlagSpec {
  readonly name: string;
  readonly shorthand?: string;
  /** Word for the value in the help; absent for a flag that is simply on. */
  readonly value?: string;
  /** Value when the flag stands alone. */
  readonly bare?: string;
  readonly default?: string;
  readonly help: string;
  /** What is wrong with a value, or undefined. */
  readonly check?: (value: string) => string | undefined;
}

const integer = (value: string): string | undefined => (/^-?\d+$/.test(value) ? undefined : `"${value}" is not an integer`);
const boolean = (value: string): string | undefined =>
  readBoolean(value) === undefined ? `"${value}" is not a boolean; use true or false` : undefined;
const duration = (value: string): string | undefined =>
  /^([0-9.]+(ns|us|µs|ms|s|m|h))+$/.test(value) ? undefined : `"${value}" is not a duration like 5s or 1m30s`;

/** Go's words for booleans. */
export function readBoolean(value: string): boolean | undefined {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(value)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(value)) return false;
  return undefined;
}

/** Flags of `edgecore` itself, sorted by name as the help shows them. */
export const AGENT_FLAGS: readonly FlagSpec[] = [
  { name: 'config', value: 'string', default: DEFAULT_CONFIG_PATH, help: 'The path to the configuration file.' },
  { name: 'defaultconfig', bare: 'true', check: boolean, help: 'Print the default configuration with every setting, then exit.' },
  { name: 'help', shorthand: 'h', bare: 'true', check: boolean, help: 'Print this help, then exit.' },
  { name: 'log-flush-frequency', value: 'duration', default: '5s', check: duration, help: 'Accepted for compatibility; every line is written at once.' },
  { name: 'minconfig', bare: 'true', check: boolean, help: 'Print a configuration with the settings one usually changes, then exit.' },
  { name: 'v', shorthand: 'v', value: 'Level', default: '0', check: integer, help: 'How much detail is logged, 0 to 10.' },
  { name: 'version', bare: 'true', check: boolean, help: 'Print version information, then exit.' },
  {
    name: 'vmodule',
    value: 'pattern=N,...',
    check: (value) => (/^([^=,]+=\d+)(,[^=,]+=\d+)*$/.test(value) ? undefined : `"${value}" is not pattern=N[,pattern=N...]`),
    help: 'Detail for single components, as edgehub=4.',
  },
];
