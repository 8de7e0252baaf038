import { Complaints, type Logger } from '@edge/core';
import type { EdgeMeshConfig } from '../config.js';
import type { ServiceTable } from '../data/service-table.js';
import { OwnAddressTable } from './own-address-table.js';
import { chooseRange } from './range.js';

/**
 * The table with addresses of the node's own, until it is disposed.
 * @throws EdgeError `edgemesh.intercept` when the configured range needs a route that the agent may not make
 */
export async function openOwnAddresses(table: ServiceTable, { address, proxy }: EdgeMeshConfig, log: Logger): Promise<ServiceTable & Disposable> {
  const range = await chooseRange(proxy.ownRange);
  const complaints = new Complaints();
  if (range.isLoopback) log.warn(`services have addresses of ${range.text}, which programs of the node reach and pods with a network of their own do not`);
  return new OwnAddressTable({ table, range, reserved: [address], say: (text) => { if (complaints.passes(text)) log.warn(text); } });
}
