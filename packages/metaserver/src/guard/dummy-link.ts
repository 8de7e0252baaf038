import { execFile } from 'node:child_process';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { promisify } from 'node:util';
import { errorText } from '@edge/core';
import { metaServerError } from '../errors.js';

const run = promisify(execFile);
const LINK = 'edge-dummy0';

/** Runs `ip` with these arguments and gives what it prints. */
export type IpCommand = (...args: readonly string[]) => Promise<string>;

export const ipCommand: IpCommand = async (...args) => (await run('ip', [...args], { timeout: 10_000 })).stdout;

/** The link that carries the address for pods: upstream's name, so that either agent finds the other's. [metaserver-23] */
export class DummyLink {
  readonly #ip: IpCommand;
  #isMade = false;

  constructor(deps: { ip: IpCommand }) {
    this.#ip = deps.ip;
  }

  /**
   * Makes the link with the address, or takes what is there.
   * @throws EdgeError `metaserver.dummy-link` when it cannot be had: no `ip`, no right to make links
   */
  async setUp(address: string): Promise<void> {
    if (isIP(address) === 0) throw metaServerError('metaserver.dummy-link', `modules.metaManager.metaServer.dummyServer has the host ${address}, it must be an IP address for the link ${LINK}`);
    try {
      // Another link that has it, such as one that the operator made, serves as well.
      if (carries(address)) return;
      if (!(await this.#exists())) {
        await this.#make();
        this.#isMade = true;
      }
      await this.#ip('address', 'replace', `${address}/${isIP(address) === 6 ? 128 : 32}`, 'dev', LINK);
      await this.#ip('link', 'set', LINK, 'up');
    } catch (cause) {
      throw metaServerError('metaserver.dummy-link', `the link ${LINK} with address ${address} cannot be made: ${errorText(cause)}`, cause);
    }
  }

  /** Removes what `setUp` made. */
  async takeDown(): Promise<void> {
    if (!this.#isMade) return;
    this.#isMade = false;
    await this.#ip('link', 'delete', LINK);
  }

  /** Small kernels often come without dummy links; a bridge with nothing on it carries an address as well. */
  async #make(): Promise<void> {
    try {
      await this.#ip('link', 'add', LINK, 'type', 'dummy');
    } catch (first) {
      await this.#ip('link', 'add', LINK, 'type', 'bridge').catch(() => Promise.reject(first));
    }
  }

  #exists(): Promise<boolean> {
    return this.#ip('link', 'show', 'dev', LINK).then(() => true, () => false);
  }
}

function carries(address: string): boolean {
  return Object.values(networkInterfaces()).some((entries) => entries?.some((entry) => entry.address === address));
}
