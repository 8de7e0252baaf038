/** What the agent says of itself in `status.json`. */
export interface AgentStatus {
  readonly pid: number;
  /** Version of its package, as `1.23.1`. */
  readonly version: string;
  /** It holds its database, all its modules are ready, and the node can run pods: it waits for nothing. */
  readonly ready: boolean;
  /** The link to the cloud is up. */
  readonly link: boolean;
  /** What it waits for to be Ready. */
  readonly waitingFor: readonly Awaited[];
}

/** Something that an agent waits for. */
export interface Awaited {
  /** Stays the same from version to version: `module edged`, `node`. */
  readonly what: string;
  readonly why: string;
}

/** What was seen of an agent since it was let run. */
export interface Seen {
  readonly elapsedMs: number;
  /** How often it was started. */
  readonly starts: number;
  /** Process id, `undefined` while it does not run. */
  readonly pid: number | undefined;
  readonly status: AgentStatus | undefined;
  /** How long the same process has been Ready without a break. */
  readonly readyMs: number;
}

export interface Limits {
  readonly version: string;
  readonly timeoutMs: number;
  readonly settleMs: number;
  readonly needsLink: boolean;
  /** What the agent waited for before the change, and may wait for after it. */
  readonly tolerated: readonly string[];
}

export type Verdict = { readonly verdict: 'wait' } | { readonly verdict: 'works' } | { readonly verdict: 'fails'; readonly reason: string };

/** An agent that ends that often while it is watched does not get better. */
export const MOST_STARTS = 4;

/** Whether the agent that was seen is the one that is to run, runs, and is Ready, for this moment. */
export function isReady(seen: Omit<Seen, 'readyMs'>, limits: Limits): boolean {
  const { status, pid } = seen;
  return pid !== undefined && status?.pid === pid && status.version === limits.version && missing(status, limits).length === 0 && (status.link || !limits.needsLink);
}

/** Whether a version on trial works. It has to be Ready within its time, and stay so. */
export function judge(seen: Seen, limits: Limits): Verdict {
  const now = isReady(seen, limits);
  if (now && seen.readyMs >= limits.settleMs) return { verdict: 'works' };
  if (seen.starts >= MOST_STARTS && !now) return { verdict: 'fails', reason: `it was started ${seen.starts} times and did not go on` };
  // Who is Ready when its time ends is given the rest of what it has to stay so.
  if (seen.elapsedMs < limits.timeoutMs + (now ? limits.settleMs : 0)) return { verdict: 'wait' };
  return { verdict: 'fails', reason: `it was not Ready within ${Math.round(limits.timeoutMs / 1000)} s: ${whyNot(seen, limits)}` };
}

/**
 * Whether the version from before starts. It only has to have got as far as to hold its database: the cloud or the container
 * runtime may be away, and going back to an older copy of the data would not bring them back, but lose what waits in it.
 */
export function judgeReturn(seen: Seen, limits: Limits): Verdict {
  const { status, pid } = seen;
  if (pid !== undefined && status?.pid === pid && status.version === limits.version) return { verdict: 'works' };
  if (seen.starts < MOST_STARTS && seen.elapsedMs < limits.timeoutMs) return { verdict: 'wait' };
  return { verdict: 'fails', reason: whyNot(seen, limits) };
}

function missing({ waitingFor }: AgentStatus, { tolerated }: Limits): readonly Awaited[] {
  return waitingFor.filter(({ what }) => !tolerated.includes(what));
}

function whyNot({ pid, status, starts }: Seen, limits: Limits): string {
  const { version, needsLink } = limits;
  if (pid === undefined) return starts === 0 ? 'nothing starts the agent' : 'the agent does not run';
  if (status?.pid !== pid) return 'the agent runs and does not get as far as to open its database';
  if (status.version !== version) return `version ${status.version} runs instead`;
  const awaited = missing(status, limits);
  if (awaited.length > 0) return `the agent waits for ${awaited.map(({ what, why }) => `${what} (${why})`).join(', ')}`;
  return needsLink && !status.link ? 'the link to the cloud does not come up again' : 'it did not stay Ready';
}
