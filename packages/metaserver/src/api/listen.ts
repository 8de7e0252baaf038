import { errorCode, errorText } from '@edge/core';
import type { ApiServer } from '@edge/kubeapi';
import { addressText, CONFIG_PATH, type Address } from '../config.js';
import { metaServerError } from '../errors.js';

/**
 * Opens a port for the local API. Nobody but this API suffers when it fails: the supervisor tries again.
 * @throws EdgeError `metaserver.listen-failed` with the address and what to do
 */
export async function listenOn(server: ApiServer, address: Address): Promise<Address> {
  try {
    return await server.listen(address);
  } catch (error) {
    throw metaServerError('metaserver.listen-failed', `the local API cannot listen on ${addressText(address)}: ${hintOf(error)}`, error);
  }
}

function hintOf(error: unknown): string {
  switch (errorCode(error)) {
    case 'EADDRINUSE': return `another program has this port; choose another one in ${CONFIG_PATH}`;
    case 'EADDRNOTAVAIL': return 'this machine does not have this address';
    case 'EACCES': return 'the agent may not open this port';
    default: return errorText(error);
  }
}
