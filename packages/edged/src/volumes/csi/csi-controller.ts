import { Operations } from '@edge/protocol';
import { edgedError } from '../../errors.js';
import type { CsiDrivers } from './drivers.js';
import { CONTROLLER, type ControllerOperation } from './messages.js';
import { fromJson, type Fields } from './wire.js';

const OPERATIONS: Readonly<Record<string, ControllerOperation>> = {
  [Operations.createVolume]: 'CreateVolume',
  [Operations.deleteVolume]: 'DeleteVolume',
  [Operations.controllerPublishVolume]: 'ControllerPublishVolume',
  [Operations.controllerUnpublishVolume]: 'ControllerUnpublishVolume',
};

/**
 * Does what the cloud's CSI driver asks of the driver on this node. The answer has the names of the protocol, as the
 * cloud reads them; a driver without the ability answers with nothing done, as upstream.
 * @param operation of the message, `createvolume` and so on
 * @param content the request as JSON text
 * @throws EdgeError `edged.csi`, `edged.bad-answer`
 */
export async function controlVolume(drivers: CsiDrivers, operation: string, content: unknown, signal: AbortSignal): Promise<Fields> {
  const name = OPERATIONS[operation];
  if (!name) throw edgedError('edged.csi', `there is no volume operation ${operation}`);
  const { capability, request, answer } = CONTROLLER[name];
  const message = fromJson(request, typeof content === 'string' ? parse(content) : content);
  const driver = await drivers.default(signal);
  if (!(await driver.capabilities('Controller', signal)).has(capability)) return {};
  return driver.call('Controller', name, request, answer, message, signal);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw edgedError('edged.bad-answer', 'the request of a volume operation is no JSON', cause);
  }
}
