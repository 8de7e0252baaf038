/** A process, told apart from a later one with the same pid. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Id of the system's boot; empty where the system has none to offer. */
  readonly boot: string;
  /** Start time in the words of the system: clock ticks since boot, or the `lstart` of ps. */
  readonly start: string;
}

/** What `/proc/<pid>/stat` says, as far as it matters here. */
export interface ProcessStat {
  readonly pid: number;
  readonly state: string;
  readonly group: number;
  readonly session: number;
  readonly start: string;
}

/** Reads the line of `/proc/<pid>/stat`. The name in it may hold spaces and brackets, so fields count from the last bracket. */
export function parseStat(line: string): ProcessStat | undefined {
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const [state, , group, session] = fields;
  const start = fields[19];
  const pid = Number.parseInt(line, 10);
  if (state === undefined || group === undefined || session === undefined || start === undefined || !(pid > 0)) return undefined;
  return { pid, state, group: Number(group), session: Number(session), start };
}

/** Reads what a keeper wrote about a process; undefined when it is not complete. */
export function parseIdentity(text: string): ProcessIdentity | undefined {
  const [pid, boot, start, rest] = text.split('\n');
  if (pid === undefined || boot === undefined || start === undefined || rest === undefined || !/^\d+$/.test(pid)) return undefined;
  const ticks = boot === '' ? start.trim() : parseStat(start)?.start;
  return ticks === undefined ? undefined : { pid: Number(pid), boot, start: ticks };
}

/** Reads the exit code that a keeper wrote; undefined when it is not complete. */
export function parseExitCode(text: string): number | undefined {
  return /^\d+\n$/.test(text) ? Number.parseInt(text, 10) : undefined;
}
