import { access } from 'node:fs/promises';
import type { LogPumpDeps } from './log-pump.js';
import { LogPump } from './log-pump.js';

/** The log of a container through its life: there is something to carry from its start until all of its output is logged. */
export class ContainerLog {
  readonly #deps: LogPumpDeps;
  #pump: LogPump | undefined;

  constructor(deps: LogPumpDeps) {
    this.#deps = deps;
  }

  /** True while output may be waiting to be logged. */
  get busy(): boolean {
    return this.#pump !== undefined;
  }

  /** Begins, or goes on where an earlier agent was; does nothing when all is logged. */
  async open(): Promise<void> {
    if (this.#pump || this.#deps.logPath === '' || !(await this.#hasOutput())) return;
    this.#pump = await LogPump.open(this.#deps);
    this.#pump.poke();
  }

  poke(): void {
    this.#pump?.poke();
  }

  async reopen(): Promise<void> {
    await this.#pump?.reopen();
  }

  /** Logs the rest after the container's end. When that fails (disk full), `busy` stays true and it can be repeated. */
  async finish(): Promise<void> {
    if (await this.#pump?.finish()) await this.close();
  }

  async close(): Promise<void> {
    const pump = this.#pump;
    this.#pump = undefined;
    await pump?.close();
  }

  async #hasOutput(): Promise<boolean> {
    const { stdout, stderr } = this.#deps.paths;
    const found = await Promise.all([stdout, stderr].map((path) => access(path).then(() => true, () => false)));
    return found.includes(true);
  }
}
