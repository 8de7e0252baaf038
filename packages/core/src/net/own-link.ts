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
  readonly #isOnlyOurs: boolean;
  #isMade = false;

  /** @param deps.isOnlyOurs nobody else makes links of that name: one that an earlier run left behind is removed at the end as well */
  constructor(deps: { ip: IpCommand; name: string; isOnlyOurs?: boolean }) {
    this.#ip = deps.ip;
    this.#name = deps.name;
    this.#isOnlyOurs = deps.isOnlyOurs ?? false;
  }

  /**
   * Makes the link with the address, or takes what is there.
   * @param address IPv4 or IPv6
   * @throws the error of `ip` when it cannot be had: no `ip`, no right to make links
   */
  async setUp(address: string): Promise<void> {
    // Another link that has it, such as one that the operator made, serves as well.
    const links = linksWith(address);
    if (links.length > 0 && !(this.#isOnlyOurs && links.includes(this.#name))) return;
    if (!(await this.#exists())) {
      await this.#make();
      this.#isMade = true;
    }
    this.#isMade ||= this.#isOnlyOurs;
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

function linksWith(address: string): readonly string[] {
  return Object.entries(networkInterfaces()).filter(([, entries]) => entries?.some((entry) => entry.address === address)).map(([name]) => name);
}
