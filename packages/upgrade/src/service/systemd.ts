import type { ServiceManager } from '../service-manager.js';
import { SERVICE_NAME } from './service-kind.js';
import type { RunCommand } from './run-command.js';

const UNIT = `${SERVICE_NAME}.service`;

/** The agent as a unit of systemd, through `systemctl`. Errors: `upgrade.service`, with what `systemctl` said. */
export class Systemd implements ServiceManager {
  readonly #run: RunCommand;

  constructor(deps: { readonly run: RunCommand }) {
    this.#run = deps.run;
  }

  async stop(): Promise<void> {
    await this.#run('systemctl', ['stop', UNIT]);
  }

  /** Does not wait for readiness: whoever starts it looks at that himself. */
  async start(): Promise<void> {
    await this.#run('systemctl', ['start', '--no-block', UNIT]);
  }

  async running(): Promise<number | undefined> {
    const pid = Number(await this.#run('systemctl', ['show', '--property=MainPID', '--value', UNIT]));
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  }

  /** Makes a unit that was just written known, and has it start with the machine. */
  async register(): Promise<void> {
    await this.#run('systemctl', ['daemon-reload']);
    await this.#run('systemctl', ['enable', UNIT]);
  }

  /** Before the unit's file goes: it starts with the machine no more. */
  async unregister(): Promise<void> {
    await this.#run('systemctl', ['disable', UNIT]);
  }

  /** After the unit's file is gone: nothing of it stays in memory, not even that it has failed. */
  async forget(): Promise<void> {
    await this.#run('systemctl', ['daemon-reload']);
    // Answers with an error for a unit that is not loaded any more, which is what is wanted.
    await this.#run('systemctl', ['reset-failed', UNIT]).catch(() => undefined);
  }
}
