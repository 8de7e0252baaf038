import { execFile } from 'node:child_process';
import { networkInterfaces } from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Runs `ip` with these arguments and gives what it prints. */
export type IpCommand = (...args: readonly string[]) => Promise<string>;

/** The one of this machine (iproute2). */
export const ipCommand: IpCommand = async (...args) => (await run('ip', [...args], { timeout: 10_000 })).stdout;

/** A link of the node that only carries an address of its own, for pods to reach. */
export class OwnLink {
  readonly #ip: IpCommand;
  readonly #name: string;
  #isMade = false;

  constructor(deps: { ip: IpCommand; name: string }) {
    this.#ip = deps.ip;
    this.#name = deps.name;
  }

  /**
   * Makes the link with the address, or takes what is there.
   * @param address IPv4 or IPv6
   * @throws the error of `ip` when it cannot be had: no `ip`, no right to make links
   */
  async setUp(address: string): Promise<void> {
    // Another link that has it, such as one that the operator made, serves as well.
    if (carries(address)) return;
    if (!(await this.#exists())) {
      await this.#make();
      this.#isMade = true;
    }
    await this.#ip('address', 'replace', `${address}/${address.includes(':') ? 128 : 32}`, 'dev', this.#name);
    await this.#ip('link', 'set', this.#name, 'up');
  }

  /** Removes what `setUp` made. */
  async takeDown(): Promise<void> {
    if (!this.#isMade) return;
    this.#isMade = false;
    await this.#ip('link', 'delete', this.#name);
  }

  /** Small kernels often come without dummy links; a bridge with nothing on it carries an address as well. */
  async #make(): Promise<void> {
    try {
      await this.#ip('link', 'add', this.#name, 'type', 'dummy');
    } catch (first) {
      await this.#ip('link', 'add', this.#name, 'type', 'bridge').catch(() => Promise.reject(first));
    }
  }

  #exists(): Promise<boolean> {
    return this.#ip('link', 'show', 'dev', this.#name).then(() => true, () => false);
  }
}

function carries(address: string): boolean {
  return Object.values(networkInterfaces()).some((entries) => entries?.some((entry) => entry.address === address));
}
