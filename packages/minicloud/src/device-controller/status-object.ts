import { isApiError } from '@edge/kubeapi';
import { type Clients, DEVICE_API, type StoredDevice, type StoredDeviceStatus } from '../objects.js';

/** Sees to it that a device has its DeviceStatus: of the same name, owned by it, so that it goes with it. */
export async function ensureDeviceStatus(clients: Pick<Clients, 'deviceStatuses'>, device: StoredDevice): Promise<void> {
  const { name, namespace = '', uid } = device.metadata;
  const found = clients.deviceStatuses.find(name, namespace);
  if (found && !isOfAnother(found, device)) return;
  // What a device of that name before it reported says nothing of this one.
  if (found) await clients.deviceStatuses.delete(name, namespace, { preconditions: { uid: found.metadata.uid } });
  try {
    await clients.deviceStatuses.create({
      apiVersion: DEVICE_API, kind: 'DeviceStatus',
      metadata: { name, namespace, ownerReferences: [{ apiVersion: DEVICE_API, kind: 'Device', name, uid, controller: true, blockOwnerDeletion: true }] },
      spec: {}, status: {},
    });
  } catch (error) {
    if (!isApiError(error, 'AlreadyExists')) throw error;
  }
}

/** Whether a status belongs to an earlier device of the name. */
export function isOfAnother(status: StoredDeviceStatus, device: StoredDevice): boolean {
  return status.metadata.ownerReferences?.some((owner) => owner.kind === 'Device' && owner.uid !== device.metadata.uid) ?? false;
}
