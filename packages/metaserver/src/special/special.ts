import type { MessageBus, NodeIdentity } from '@edge/core';
import type { ApiBackend, RequestHook, SubresourceHandler } from '@edge/kubeapi';
import type { DeviceEdits } from '../api/device-edits.js';
import type { ObjectCopy } from '../copy/object-copy.js';
import { keadmDeviceEdit } from './device-edit.js';
import { Kubelet } from './kubelet.js';
import { logHandler } from './logs.js';
import { NodePods } from './node-pods.js';
import { SpecialPaths } from './special-paths.js';
import { streamHandlers } from './streams.js';

export interface SpecialParts {
  readonly bus: MessageBus;
  readonly identity: NodeIdentity;
  readonly copy: ObjectCopy;
  readonly backend: ApiBackend;
  readonly devices: DeviceEdits;
}

/** What is done to pods and devices of this node themselves, beyond their objects. */
export function createSpecial({ bus, identity, copy, backend, devices }: SpecialParts): { readonly onRequest: RequestHook; readonly subresources: readonly SubresourceHandler[] } {
  const kubelet = new Kubelet({ bus });
  const pods = new NodePods({ identity, copy, backend });
  const paths = new SpecialPaths({ bus, kubelet, pods });
  const editDevice = keadmDeviceEdit(devices);
  const onRequest: RequestHook = async (request) => (await paths.onRequest(request)) || editDevice(request);
  return { onRequest, subresources: [logHandler({ pods, kubelet }), ...streamHandlers({ pods, kubelet })] };
}
