/** The code of the innermost cause that has one: what the platform said, below our own wrapping. */
export function rootCode(error: unknown): string {
  let code = '';
  let current: unknown = error;
  for (let depth = 0; depth < 10 && typeof current === 'object' && current !== null; depth += 1) {
    if ('code' in current && typeof current.code === 'string') code = current.code;
    // Happy eyeballs report one error per address; the first speaks for all.
    const inner: unknown = current instanceof AggregateError ? current.errors[0] : undefined;
    current = inner ?? (current as { cause?: unknown }).cause;
  }
  return code;
}
