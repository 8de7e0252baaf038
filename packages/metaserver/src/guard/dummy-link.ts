import { isIP } from 'node:net';
import { errorText, OwnLink, type IpCommand } from '@edge/core';
import { metaServerError } from '../errors.js';

const LINK = 'edge-dummy0';

/** The link that carries the address for pods: upstream's name, so that either agent finds the other's. [metaserver-23] */
export class DummyLink {
  readonly #link: OwnLink;

  constructor(deps: { ip: IpCommand }) {
    this.#link = new OwnLink({ ip: deps.ip, name: LINK });
  }

  /**
   * Makes the link with the address, or takes what is there.
   * @throws EdgeError `metaserver.dummy-link` when it cannot be had: no `ip`, no right to make links
   */
  async setUp(address: string): Promise<void> {
    if (isIP(address) === 0) throw metaServerError('metaserver.dummy-link', `modules.metaManager.metaServer.dummyServer has the host ${address}, it must be an IP address for the link ${LINK}`);
    try {
      await this.#link.setUp(address);
    } catch (cause) {
      throw metaServerError('metaserver.dummy-link', `the link ${LINK} with address ${address} cannot be made: ${errorText(cause)}`, cause);
    }
  }

  /** Removes what `setUp` made. */
  takeDown(): Promise<void> {
    return this.#link.takeDown();
  }
}
