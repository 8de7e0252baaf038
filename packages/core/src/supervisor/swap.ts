import { abortError, EdgeError, isAbort } from '../errors.js';
import type { Candidate, Seat } from './seat.js';

/** What a swap is about to do. */
export type SwapStep = 'stopping' | 'starting' | 'watching' | 'returning';

export interface SwapOptions {
  /** Milliseconds that the new version may take to get ready; the agent's limit for a start unless given. */
  readonly readyTimeoutMs?: number;
  /** Milliseconds for which it is watched after that: one that ends meanwhile is taken back. 10 s unless given. */
  readonly settleMs?: number;
  /** Milliseconds that the old one gets for the messages in hand, and again to stop, beside what it asks for itself; 20 s unless given. */
  readonly stopTimeoutMs?: number;
  /** Aborted before the old one is stopped: nothing happens. Later: the old one comes back. */
  readonly signal?: AbortSignal;
  readonly onStep?: (step: SwapStep) => void;
}

/** How a swap ended. */
export interface SwapOutcome {
  /** `returned`: the old version has the role again. `noted`: the configuration has the role switched off, nothing was started. */
  readonly result: 'swapped' | 'returned' | 'noted';
  /** Why the new version was taken back. */
  readonly reason?: string;
  /** Whether the one that has the role now serves. */
  readonly serving: boolean;
  /** Milliseconds for which messages for the role waited. */
  readonly pausedMs: number;
  /** Versions that did not stop in time: they are cut off from the bus, what they hold may be held until the agent ends. */
  readonly leftBehind: readonly string[];
}

export interface SwapLimits {
  readonly readyTimeoutMs: number;
  readonly settleMs: number;
  readonly stopTimeoutMs: number;
}

/**
 * Gives a role to another version while the agent runs: empties the seat, starts the new one, watches it; when it does not get
 * ready or ends again, the one from before gets its seat back. Messages wait in the seat's mailbox meanwhile.
 * @throws EdgeError `core.stopping` when the agent stops; `core.aborted` before anything was done
 */
export async function swapSeat(seat: Seat, next: Candidate, limits: SwapLimits, signal: AbortSignal, onStep: (step: SwapStep) => void): Promise<SwapOutcome> {
  const before = { candidate: seat.candidate, health: seat.health.value };
  const wasRunning = before.health.phase !== 'done' && before.health.phase !== 'failed';
  const leftBehind: string[] = [];
  const vacate = async (): Promise<void> => {
    const { version } = seat.candidate.definition;
    if (!(await seat.vacate(limits.stopTimeoutMs))) leftBehind.push(version);
    mustRun(seat);
  };
  const startedAt = performance.now();
  const paused = (): number => performance.now() - startedAt;

  const begin = async (): Promise<string | undefined> => {
    // Whoever has gone meanwhile wants nothing of it to run.
    if (signal.aborted) return interruption(seat, abortError(signal));
    onStep('starting');
    seat.start(next, { readyTimeoutMs: limits.readyTimeoutMs });
    return started(seat, signal);
  };

  onStep('stopping');
  await vacate();
  const failure = await begin();
  const pausedMs = paused();
  if (failure === undefined) onStep('watching');
  const reason = failure ?? (await endedAgain(seat, limits.settleMs, signal));
  if (reason === undefined) {
    seat.confirm();
    return { result: 'swapped', serving: true, pausedMs, leftBehind };
  }

  onStep('returning');
  await vacate();
  if (!wasRunning) {
    seat.giveBack(before.candidate, before.health);
    return { result: 'returned', reason, serving: false, pausedMs: paused(), leftBehind };
  }
  seat.start(before.candidate);
  const oldFailure = await started(seat, seat.stopped);
  mustRun(seat);
  return { result: 'returned', reason, serving: oldFailure === undefined, pausedMs: paused(), leftBehind };
}

function mustRun(seat: Seat): void {
  if (seat.stopped.aborted) throw new EdgeError('core.stopping', `the agent stops; the swap of ${seat.name} was given up`);
}

/** Why the start has failed; undefined when it is ready. */
async function started(seat: Seat, signal: AbortSignal): Promise<string | undefined> {
  try {
    const { phase, lastError } = await seat.health.until((health) => health.phase !== 'starting', signal);
    return phase === 'ready' ? undefined : (lastError ?? 'it ended without having been ready');
  } catch (error) {
    return interruption(seat, error);
  }
}

/** Why it did not stay; undefined when it did. */
async function endedAgain(seat: Seat, settleMs: number, signal: AbortSignal): Promise<string | undefined> {
  const settled = new AbortController();
  const timer = setTimeout(() => settled.abort(), settleMs);
  try {
    const { lastError } = await seat.health.until(({ phase }) => phase !== 'ready', AbortSignal.any([signal, settled.signal]));
    return `it was ready, and ended again: ${lastError ?? 'it returned'}`;
  } catch (error) {
    return settled.signal.aborted && !signal.aborted ? undefined : interruption(seat, error);
  } finally {
    clearTimeout(timer);
  }
}

function interruption(seat: Seat, error: unknown): string {
  if (!isAbort(error)) throw error;
  return seat.stopped.aborted ? 'the agent stops' : 'the swap was interrupted';
}
