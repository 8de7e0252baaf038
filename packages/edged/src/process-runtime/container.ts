import type { ChildProcess } from 'node:child_process';
import type { FSWatcher } from 'node:fs';
import { watch } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ExecResult, Logger, WritableCell } from '@edge/core';
import { createCell, EdgeError, errorText } from '@edge/core';
import { abortable } from './abortable.js';
import { ContainerLog } from './container-log.js';
import { notFound, RuntimeErrors } from './errors.js';
import type { Known } from './evidence.js';
import { gatherEvidence, modifiedAt } from './evidence.js';
import { exec } from './exec.js';
import { writeJson } from './json-file.js';
import { launch, prepare } from './launch.js';
import type { ContainerPaths } from './layout.js';
import { rootMark, UNFINISHED } from './layout.js';
import type { Belonging, ProcessTable } from './process-table.js';
import { sendSignal } from './process-table.js';
import { readProcessUse, type ProcessUse } from './process-use.js';
import { endByForce, gone, KEEPER_ENDS_WITHIN_MS, killMembers, pauseMembers } from './processes.js';
import type { ContainerRecord } from './record.js';
import type { Outcome } from './verdict.js';
import { judge, startFailure } from './verdict.js';

/** What can be told about a container at any time. */
export interface ContainerState {
  readonly state: 'created' | 'starting' | 'running' | 'exited';
  /** Milliseconds since the epoch, 0 when it never ran. */
  readonly startedAt: number;
  /** Present when exited. */
  readonly outcome?: Outcome;
}

export interface ContainerDeps {
  readonly record: ContainerRecord;
  readonly paths: ContainerPaths;
  readonly table: ProcessTable;
  readonly log: Logger;
  readonly path: string;
  readonly rawLimit: number;
  readonly onChange: (change: 'started' | 'stopped') => void;
}

const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** An adopted container that is just being started is given this time before it is ended. */
const STARTS_WITHIN_MS = 2_000;

/**
 * One container. Its truth is in its files and in the process table; `observe` looks there and moves the state on, and
 * whoever waits, waits for the state. So it makes no difference whether this agent or an earlier one started it.
 */
export class ProcessContainer {
  readonly #deps: ContainerDeps;
  readonly #state: WritableCell<ContainerState> = createCell<ContainerState>({ state: 'created', startedAt: 0 });
  readonly #known: Known = {};
  readonly #closing = new AbortController();
  readonly #log: ContainerLog;
  #watcher: FSWatcher | undefined;
  #lastLook: Promise<void> = Promise.resolve();
  #nextLook: Promise<void> | undefined;
  #starting: Promise<void> | undefined;
  #removing: Promise<void> | undefined;
  #askedToEnd = false;

  constructor(deps: ContainerDeps) {
    this.#deps = deps;
    this.#log = new ContainerLog({
      paths: deps.paths,
      logPath: deps.record.logPath,
      log: deps.log,
      rawLimit: deps.rawLimit,
      pause: async () => {
        const container = this.#belonging();
        return container && (await deps.table.alive(container.keeper)) ? pauseMembers(deps.table, container) : undefined;
      },
    });
  }

  get record(): ContainerRecord {
    return this.#deps.record;
  }

  get state(): ContainerState {
    return this.#state.value;
  }

  /** Takes over what an earlier agent left. */
  async adopt(): Promise<void> {
    this.#watch();
    await this.observe();
    // The earlier agent may have been killed while it had the processes paused.
    if (this.#known.keeper && this.state.state === 'running') sendSignal(-this.#known.keeper.pid, 'SIGCONT');
  }

  /** Looks after it from time to time, in case that a notice of the file system was missed. */
  poll(): void {
    this.#log.poke();
    if (this.state.state !== 'exited') this.#notice();
    else if (this.#log.busy) void this.#log.finish();
  }

  /** Starts it, once in its life. A caller that gives up waiting does not stop the start. */
  async start(signal?: AbortSignal): Promise<void> {
    if (this.#removing || this.#closing.signal.aborted) throw notFound('container', this.record.id);
    if (this.state.state === 'running') return;
    if (this.state.state === 'exited') throw new EdgeError(RuntimeErrors.wrongState, `container ${this.record.id} has run already`);
    this.#starting ??= this.#start().finally(() => (this.#starting = undefined));
    await abortable(this.#starting, signal);
  }

  /** SIGTERM to the main process, after the time SIGKILL. Resolves when it has ended. */
  async stop(graceSeconds: number, signal?: AbortSignal): Promise<void> {
    await abortable(this.#starting?.catch(() => undefined) ?? Promise.resolve(), signal);
    if (this.state.state === 'starting') await this.#becomes((state) => state !== 'starting', STARTS_WITHIN_MS, signal);
    if (this.state.state === 'created' || this.state.state === 'exited') return;
    if (graceSeconds > 0) {
      await this.#askToEnd();
      if (await this.#becomes((state) => state === 'exited', graceSeconds * 1000, signal)) return;
    }
    await endByForce(this.#deps.table, this.#known);
    await this.observe();
    await this.#becomes((state) => state === 'exited', LONGEST_TIMER_MS, signal);
  }

  async exec(command: readonly string[], timeoutSeconds: number, signal?: AbortSignal): Promise<ExecResult> {
    if (this.state.state !== 'running') throw new EdgeError(RuntimeErrors.wrongState, `container ${this.record.id} does not run`);
    const { environment, directory } = await prepare(this.#deps);
    return exec({ command, environment: environment.all, directory, timeoutSeconds }, signal);
  }

  async reopenLog(): Promise<void> {
    await this.#log.reopen();
  }

  /** Ends it by force and deletes its files; the log stays. */
  async remove(signal?: AbortSignal): Promise<void> {
    this.#removing ??= this.#remove().finally(() => (this.#removing = undefined));
    await abortable(this.#removing, signal);
  }

  /** Lets go of it; its processes run on. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#watcher?.close();
    await this.#lastLook;
    await this.#log.close();
  }

  /** Brings the state up to date. A call that comes during a look leads to one more look. */
  observe(): Promise<void> {
    if (this.#nextLook) return this.#nextLook;
    const look = this.#lastLook.then(async () => {
      this.#nextLook = undefined;
      if (!this.#closing.signal.aborted) await this.#look();
    });
    this.#nextLook = look;
    this.#lastLook = look.catch(() => undefined);
    return look;
  }

  /** A look that nobody waits for; the next poll repeats one that failed. */
  #notice(): void {
    this.observe().catch((error: unknown) => {
      this.#deps.log.warn('the state of a container cannot be determined at present', { container: this.record.id, error: errorText(error) });
    });
  }

  async #look(): Promise<void> {
    if (this.state.state === 'exited') return;
    const { paths, table } = this.#deps;
    const verdict = judge(await gatherEvidence(paths, this.#known, table), Date.now());
    if (verdict.state === this.state.state) return;
    if (verdict.state === 'exited') {
      // It ran between two looks.
      if (!verdict.settled && this.#known.main && this.state.state !== 'running') this.#deps.onChange('started');
      await this.#settle(verdict.outcome, verdict.settled);
    }
    if (verdict.state === 'running') await this.#log.open();
    const startedAt = (await modifiedAt(paths.main)) ?? 0;
    this.#state.set({ state: verdict.state, startedAt, ...(verdict.state === 'exited' && { outcome: verdict.outcome }) });
    if (verdict.state === 'running') this.#deps.onChange('started');
    if (verdict.state === 'exited') this.#deps.onChange('stopped');
  }

  /** After the main process: ends the others and logs the rest. Only then the container counts as exited. */
  async #settle(outcome: Outcome, settled: boolean): Promise<void> {
    const { table, paths } = this.#deps;
    const container = this.#belonging();
    if (!settled && container?.keeper.boot === table.boot) {
      if (!(await gone(table, container.keeper, KEEPER_ENDS_WITHIN_MS))) sendSignal(-container.keeper.pid, 'SIGKILL');
      await killMembers(table, container);
    }
    if (!settled) await writeJson(paths.outcome, outcome, false);
    await this.#log.open();
    await this.#log.finish();
    this.#watcher?.close();
  }

  async #start(): Promise<void> {
    this.#watch();
    await this.observe();
    if (this.state.state === 'created') {
      const problem = await launch(this.#deps, (keeper) => this.#attend(keeper));
      if (problem !== undefined) await this.#startFailed(problem);
    }
    await this.#becomes((state) => state === 'running' || state === 'exited', LONGEST_TIMER_MS, undefined);
    const { outcome } = this.state;
    if (outcome?.reason !== 'StartError') return;
    throw new EdgeError(RuntimeErrors.startFailed, `container ${this.record.config.metadata.name} cannot be started: ${outcome.message}`);
  }

  /** A keeper that is a child of this agent tells its end by itself. */
  #attend(keeper: ChildProcess): void {
    keeper.once('exit', () => {
      const check = async (): Promise<void> => {
        await this.observe();
        if (this.state.state === 'created') await this.#startFailed('the keeper of the process ended before it began');
      };
      check().catch(() => this.#notice());
    });
  }

  async #startFailed(message: string): Promise<void> {
    await writeJson(this.#deps.paths.outcome, startFailure(message, Date.now()), false);
    await this.observe();
  }

  async #askToEnd(): Promise<void> {
    const { main } = this.#known;
    if (this.#askedToEnd || !main || !(await this.#deps.table.alive(main))) return;
    this.#askedToEnd = true;
    sendSignal(main.pid, 'SIGTERM');
  }

  /** True when the state fits within the time. */
  async #becomes(fits: (state: ContainerState['state']) => boolean, withinMs: number, signal: AbortSignal | undefined): Promise<boolean> {
    const time = new AbortController();
    const timer = setTimeout(() => time.abort(), Math.min(withinMs, LONGEST_TIMER_MS));
    const end = AbortSignal.any([time.signal, this.#closing.signal, ...(signal ? [signal] : [])]);
    try {
      await this.#state.until(({ state }) => fits(state), end);
      return true;
    } catch (error) {
      if (end.reason !== time.signal.reason) throw error;
      return false;
    } finally {
      clearTimeout(timer);
    }
  }

  async #remove(): Promise<void> {
    await this.stop(0);
    await this.close();
    // One atomic step makes it disappear; the rest can be done by whoever opens the root next.
    const { dir } = this.#deps.paths;
    const doomed = join(dirname(dir), `${UNFINISHED}removed-${this.record.id}`);
    await rename(dir, doomed);
    await rm(doomed, { recursive: true, force: true });
  }

  /** What its processes use; undefined unless it runs, and where there is no `/proc`. */
  async use(): Promise<ProcessUse | undefined> {
    const container = this.#belonging();
    if (!container || this.state.state !== 'running' || this.#deps.table.boot === '') return undefined;
    return readProcessUse(container.keeper.pid, await this.#deps.table.members(container));
  }

  #belonging(): Belonging | undefined {
    const { keeper } = this.#known;
    return keeper && { keeper, mark: rootMark(this.#deps.paths) };
  }

  #watch(): void {
    if (this.#watcher) return;
    try {
      this.#watcher = watch(this.#deps.paths.run, { persistent: false }, (_, name) => {
        if (name === 'stdout' || name === 'stderr') this.#log.poke();
        else this.#notice();
      });
      this.#watcher.on('error', () => undefined);
    } catch (error) {
      this.#deps.log.warn('no notices from the file system; polling only', { container: this.record.id, error: errorText(error) });
    }
  }
}
