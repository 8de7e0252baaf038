/**
 * Replaces `$(NAME)` by values. An unknown name stays as it is, `$$(NAME)` gives `$(NAME)`, a `$` before anything else
 * is just a `$`.
 */
export function expand(text: string, value: (name: string) => string | undefined): string {
  return text.replace(/\$\$|\$\(([^)]*)\)/g, (whole, name: string | undefined) => (name === undefined ? '$' : (value(name) ?? whole)));
}
