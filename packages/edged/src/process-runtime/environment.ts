/** The variables of a container's processes, in the two ways in which they reach them. */
export interface Environment {
  /** All of them. */
  readonly all: Readonly<Record<string, string>>;
  /** Those that pass through the shells of the keeper unchanged. */
  readonly plain: Readonly<Record<string, string>>;
  /** Those that a shell would drop, change or obey; they are put in place only when the command starts. */
  readonly odd: readonly (readonly [name: string, value: string])[];
}

const PLAIN_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** Names that some `/bin/sh` (dash, bash, busybox) sets or reads, that the loader obeys, or that the keeper uses. */
const SHELL_NAME = /^(?:IFS|PPID|OPTIND|OPTARG|OPTERR|PWD|OLDPWD|SHLVL|_|ENV|PS\d|E?UID|GROUPS|LINENO|RANDOM|SRANDOM|SECONDS|EPOCH.*|SHELLOPTS|POSIXLY_CORRECT|HISTCMD|DIRSTACK|FUNCNAME|PIPESTATUS|BASH.*|LD_.*|DYLD_.*|GLIBC_.*|MALLOC_.*|edge_.*)$/;

/**
 * The environment of a container: as configured (the last of equal names counts), `PATH` and `HOME` where missing, and
 * `EDGE_ROOT`, which always names the container's private directory because it also marks the container's processes.
 */
export function buildEnvironment(
  configured: readonly { readonly name: string; readonly value: string }[],
  defaults: { readonly path: string; readonly root: string },
): Environment {
  const all: Record<string, string> = Object.fromEntries([
    ['PATH', defaults.path],
    ['HOME', defaults.root],
    ...configured.map(({ name, value }) => [name, value]),
    ['EDGE_ROOT', defaults.root],
  ] as [string, string][]);
  const isPlain = ([name]: readonly [string, string]): boolean => PLAIN_NAME.test(name) && !SHELL_NAME.test(name);
  const entries = Object.entries(all);
  return { all, plain: Object.fromEntries(entries.filter(isPlain)), odd: entries.filter((entry) => !isPlain(entry)) };
}

/**
 * Shell text that puts the odd variables before the command in `"$@"`. It goes through a file that only its owner can
 * read and not through arguments of the keeper, because arguments are visible to every user for as long as it runs.
 */
export function environmentScript(environment: Environment): string {
  if (environment.odd.length === 0) return '';
  return `set -- /usr/bin/env ${environment.odd.map(([name, value]) => quote(`${name}=${value}`)).join(' ')} "$@"\n`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
