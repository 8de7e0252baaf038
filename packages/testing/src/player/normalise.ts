/** Replaces what differs from run to run (times, names and addresses of the machine) by words, so that contents can be compared. */
export interface NormaliseOptions {
  /** Exact strings to replace, as node names or addresses. */
  readonly replace?: Readonly<Record<string, string>>;
  /** Member names whose value is replaced by `<member>` wherever they stand. */
  readonly members?: readonly string[];
  /** Member names that are left out. */
  readonly drop?: readonly string[];
}

const TIME = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;

/** The value with times as `<time>`, and what the options say; a string that holds JSON is read first. */
export function normalise(value: unknown, options: NormaliseOptions = {}): unknown {
  if (typeof value === 'string') {
    if (/^[{[]/.test(value)) {
      try {
        return normalise(JSON.parse(value), options);
      } catch {
        // Not JSON after all: an ordinary string.
      }
    }
    let text = value.replace(TIME, '<time>');
    for (const [from, to] of Object.entries(options.replace ?? {})) text = text.replaceAll(from, to);
    return text;
  }
  if (Array.isArray(value)) return value.map((item) => normalise(item, options));
  if (typeof value !== 'object' || value === null) return value;
  const result: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    if (options.drop?.includes(key)) continue;
    result[key] = options.members?.includes(key) ? `<${key}>` : normalise(item, options);
  }
  return result;
}
