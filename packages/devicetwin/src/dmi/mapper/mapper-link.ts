import { backoffDelay, isAbort, type Backoff, type Logger } from '@edge/core';
import { fileIdentity } from '../file-identity.js';
import type { Desired } from '../plan/desired.js';
import type { Holdings } from '../plan/holdings.js';
import { plan, type Step } from '../plan/plan.js';
import { MapperConnection } from './connection.js';
import { callName, perform } from './perform.js';

/** How a mapper is doing. */
export interface MapperHealth {
  readonly name: string;
  readonly protocol: string;
  readonly socket: string;
  readonly connected: boolean;
  /** Calls that are still to be made or confirmed. */
  readonly pending: number;
  /** Why the last call failed; undefined after one that did not. */
  readonly lastError?: string;
}

export interface MapperLinkDeps {
  readonly name: string;
  readonly protocol: string;
  readonly socket: string;
  readonly holdings: Holdings;
  /** What the mapper is to have now. */
  readonly desired: () => Desired;
  /** Identity of the mapper's socket file at the last confirmed meeting, if there was one. */
  readonly identity?: string;
  /** Told when it changes, so that it can be kept over restarts. */
  readonly met: (identity: string) => void;
  readonly log: Logger;
}

/** A call that the mapper refuses or does not answer is repeated after these pauses, while others go on. */
const AGAIN: Backoff = { firstMs: 500, factor: 2, limitMs: 30_000, jitter: 0.2 };
/** As upstream. */
const CALL_TIMEOUT_MS = 10_000;
/** A mapper that has started anew registers within this time; asking it earlier whether it has its devices may kill it. */
const GRACE_MS = 1000;

/**
 * Keeps one mapper up to date: stays connected to its socket, and makes the calls that are missing, one at a time, until
 * the mapper has confirmed all of them.
 */
export class MapperLink {
  readonly #deps: MapperLinkDeps;
  readonly #failures = new Map<string, { readonly spec: string; readonly attempt: number; readonly notBefore: number }>();
  #connected = false;
  #identity: string | undefined;
  #registered = false;
  #trusted = false;
  #lastError: string | undefined;
  #wake: () => void = () => undefined;
  #woken = false;

  constructor(deps: MapperLinkDeps) {
    this.#deps = deps;
    this.#identity = deps.identity;
  }

  get holdings(): Holdings {
    return this.#deps.holdings;
  }

  health(): MapperHealth {
    const { name, protocol, socket, holdings, desired } = this.#deps;
    const lastError = this.#lastError;
    return { name, protocol, socket, connected: this.#connected, pending: plan(desired(), holdings).length, ...(lastError === undefined ? {} : { lastError }) };
  }

  /** Something has changed that the mapper may have to know. */
  wake(): void {
    this.#woken = true;
    this.#wake();
  }

  /** The mapper has registered: what it has is known, whatever its socket looks like. */
  registered(): void {
    this.#registered = true;
    this.#failures.clear();
    this.wake();
  }

  /** Runs until the signal aborts. Rejects only for what nobody foresaw. */
  async run(signal: AbortSignal): Promise<void> {
    using connection = new MapperConnection({ socket: this.#deps.socket, timeoutMs: CALL_TIMEOUT_MS });
    const end = new AbortController();
    const following = connection.follow((connected) => this.#changed(connected), end.signal);
    try {
      while (!signal.aborted) {
        this.#woken = false;
        const wait = this.#connected ? await this.#work(connection, signal) : undefined;
        await this.#rest(wait, signal);
      }
    } catch (error) {
      if (!isAbort(error)) throw error;
    } finally {
      end.abort();
      await following;
    }
  }

  #changed(connected: boolean): void {
    const { log, name, socket } = this.#deps;
    this.#connected = connected;
    this.#trusted = false;
    if (!connected) this.#registered = false;
    log.info(connected ? 'connected to the mapper' : 'the mapper is gone; it is tried again until it is back', { mapper: name, socket });
    this.wake();
  }

  /** Makes the calls that are due. Returns how long to wait before the next one, undefined when none is open. */
  async #work(connection: MapperConnection, signal: AbortSignal): Promise<number | undefined> {
    if (!(await this.#trust(signal))) return undefined;
    const { desired, holdings } = this.#deps;
    const target = desired();
    let wait: number | undefined;
    const steps = plan(target, holdings);
    this.#forget(steps);
    for (const step of steps) {
      if (!this.#connected || desired() !== target) return 0;
      const pause = this.#pauseOf(step);
      if (pause > 0) {
        wait = Math.min(wait ?? pause, pause);
        continue;
      }
      // A mapper does not take a device whose model it does not have; the model's own failure brings it back here.
      if (step.kind === 'device' && 'spec' in step && this.#lacksModel(target, step.id)) continue;
      if (!(await this.#make(connection, step, signal))) wait = Math.min(wait ?? Infinity, this.#pauseOf(step));
    }
    return wait;
  }

  /** Finds out, after each connect, whether the mapper is the one that was known. False when the connection is gone. */
  async #trust(signal: AbortSignal): Promise<boolean> {
    if (this.#trusted) return true;
    const now = await fileIdentity(this.#deps.socket);
    if (now !== undefined && now !== this.#identity) {
      if (!this.#registered && this.#deps.holdings.known) await this.#rest(GRACE_MS, signal, () => this.#registered || !this.#connected);
      if (!this.#connected) return false;
      if (!this.#registered) this.#deps.holdings.doubt();
      this.#identity = now;
      this.#deps.met(now);
    }
    this.#trusted = this.#connected;
    return this.#connected;
  }

  #lacksModel(target: Desired, deviceId: string): boolean {
    const modelId = target.devices.get(deviceId)?.modelId ?? '';
    return this.#deps.holdings.models.get(modelId)?.absent !== false;
  }

  async #make(connection: MapperConnection, step: Step, signal: AbortSignal): Promise<boolean> {
    const { holdings, log, name } = this.#deps;
    const settle = holdings.send(step);
    const outcome = await perform(connection, step, signal);
    settle(outcome.kind);
    const key = keyOf(step);
    if (outcome.kind === 'done') {
      this.#failures.delete(key);
      this.#lastError = undefined;
      log.verbose(2, `${callName(step)} done`, { mapper: name, [step.kind]: step.id });
      return true;
    }
    this.#lastError = `${callName(step)} ${step.id}: ${outcome.reason}`;
    if (step.call === 'remove' || step.call === 'removeIfThere') {
      if (outcome.kind === 'refused') {
        log.warn('the mapper refused a removal; it is taken for done', { mapper: name, [step.kind]: step.id, reason: outcome.reason });
        return true;
      }
    }
    const attempt = (this.#failures.get(key)?.attempt ?? -1) + 1;
    const pause = backoffDelay(AGAIN, attempt, Math.random());
    this.#failures.set(key, { spec: specOf(step), attempt, notBefore: Date.now() + pause });
    if (attempt === 0) {
      const what = outcome.kind === 'refused' ? 'the mapper refused a call' : 'the mapper did not answer a call';
      log.warn(`${what}; it is made again until it succeeds`, { mapper: name, call: callName(step), [step.kind]: step.id, reason: outcome.reason });
    }
    return false;
  }

  /** Failures of what is not wanted any more. */
  #forget(steps: readonly Step[]): void {
    if (this.#failures.size === 0) return;
    const open = new Set(steps.map(keyOf));
    for (const key of this.#failures.keys()) if (!open.has(key)) this.#failures.delete(key);
  }

  /** Milliseconds until the step may be tried again. A changed spec is tried at once. */
  #pauseOf(step: Step): number {
    const failure = this.#failures.get(keyOf(step));
    if (!failure || failure.spec !== specOf(step)) return 0;
    return Math.max(0, failure.notBefore - Date.now());
  }

  /** Waits for a wake-up, the time, or the abort. */
  async #rest(milliseconds: number | undefined, signal: AbortSignal, enough: () => boolean = () => this.#woken): Promise<void> {
    if (signal.aborted || enough()) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.#wake = () => undefined;
        resolve();
      };
      const timer = milliseconds === undefined ? undefined : setTimeout(done, milliseconds);
      signal.addEventListener('abort', done, { once: true });
      this.#wake = () => {
        if (enough()) done();
      };
    });
  }
}

function keyOf(step: Step): string {
  return `${step.kind} ${step.id}`;
}

function specOf(step: Step): string {
  return 'spec' in step ? step.spec : step.call;
}
