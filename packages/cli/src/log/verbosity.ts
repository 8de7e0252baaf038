/** `-v` and `--vmodule`. */
export interface Verbosity {
  /** Level of all components. */
  readonly level: number;
  /** Component patterns with their own level; the first that matches counts. */
  readonly patterns: readonly { readonly pattern: string; readonly level: number }[];
}

/** Level that applies to a component. */
export function verbosityFor(verbosity: Verbosity, component: string): number {
  const own = verbosity.patterns.find(({ pattern }) => matches(pattern, component));
  return own?.level ?? verbosity.level;
}

/** Reads `pattern=N,pattern=N`. Undefined when it is not of that form. */
export function parseVmodule(text: string): Verbosity['patterns'] | undefined {
  const entries = text.split(',').filter((entry) => entry !== '');
  const patterns = entries.map((entry) => /^([^=]+)=(\d+)$/.exec(entry));
  if (patterns.some((match) => match === null)) return undefined;
  return patterns.map((match) => ({ pattern: match?.[1] ?? '', level: Number(match?.[2]) }));
}

/** Shell-style pattern with `*` and `?`, as klog's. */
function matches(pattern: string, component: string): boolean {
  const expression = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*').replaceAll('?', '.');
  return new RegExp(`^${expression}$`).test(component);
}
