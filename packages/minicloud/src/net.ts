import type { AddressInfo, Server } from 'node:net';
import { errorCode } from '@edge/core';
import { hostPort } from '@edge/protocol';
import { minicloudError, MinicloudErrors } from './errors.js';

/** Where to listen; port 0 takes any free one. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * Opens a server's port and gives the port it got.
 * @throws EdgeError `minicloud.listen-failed` with the address and what to do
 */
export function listen(server: Server, address: ListenAddress, what: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error): void => {
      const hint = errorCode(error) === 'EADDRINUSE' ? 'another program has this port: choose another one' : error.message;
      reject(minicloudError(MinicloudErrors.listenFailed, `cannot open ${hostPort(address.host, address.port)} for ${what}: ${hint}`, error));
    };
    server.once('error', onError);
    server.listen(address.port, address.host, () => {
      server.off('error', onError);
      resolve((server.address() as AddressInfo).port);
    });
  });
}
