import { readFile } from 'node:fs/promises';
import { errorCode } from '@edge/core';
import type { ServiceManager } from '../service-manager.js';
import { SERVICE_NAME } from './service-kind.js';
import type { RunCommand } from './run-command.js';

/** Where `supervise-daemon` notes its own process id; the agent is its child. */
const PID_FILE = '/run/edgecore.pid';

export interface OpenrcDeps {
  readonly run: RunCommand;
  readonly pidFile?: string;
  /** Where processes show their children. */
  readonly proc?: string;
}

/** The agent as a service of OpenRC, through `rc-service` and `rc-update`. Errors: `upgrade.service`, with what they said. */
export class Openrc implements ServiceManager {
  readonly #run: RunCommand;
  readonly #pidFile: string;
  readonly #proc: string;

  constructor(deps: OpenrcDeps) {
    this.#run = deps.run;
    this.#pidFile = deps.pidFile ?? PID_FILE;
    this.#proc = deps.proc ?? '/proc';
  }

  async stop(): Promise<void> {
    await this.#run('rc-service', [SERVICE_NAME, 'stop']);
  }

  async start(): Promise<void> {
    await this.#run('rc-service', [SERVICE_NAME, 'start']);
  }

  async running(): Promise<number | undefined> {
    const supervisor = Number(await this.#read(this.#pidFile));
    if (!Number.isInteger(supervisor) || supervisor <= 0) return undefined;
    const [child] = (await this.#read(`${this.#proc}/${supervisor}/task/${supervisor}/children`)).split(' ');
    return child ? Number(child) : undefined;
  }

  /** Has it start with the machine. */
  async register(): Promise<void> {
    await this.#run('rc-update', ['add', SERVICE_NAME, 'default']);
  }

  async unregister(): Promise<void> {
    await this.#run('rc-update', ['delete', '--all', SERVICE_NAME]);
  }

  /** OpenRC keeps nothing of a script that is gone. */
  async forget(): Promise<void> {}

  async #read(path: string): Promise<string> {
    try {
      return (await readFile(path, 'utf8')).trim();
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return '';
      throw error;
    }
  }
}
