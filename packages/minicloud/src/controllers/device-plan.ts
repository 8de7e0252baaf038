import type { StoredDevice, StoredDeviceModel } from '../objects.js';

/** Something in a device that its owner should know of. */
export interface DeviceProblem {
  readonly reason: 'NodeNotFound' | 'ModelMissing' | 'ModelNotFound' | 'UnknownProperty' | 'UnreportableProperty';
  readonly message: string;
}

/** What a twin may be called on the node. */
const TWIN_NAME = /^[a-zA-Z0-9\-_.,:/@#]{1,128}$/;

/** What keeps a device, or one of its properties, from working. None of it is refused: the rest may come later. */
export function deviceProblems(device: StoredDevice, model: StoredDeviceModel | undefined, nodeExists: boolean): DeviceProblem[] {
  const { nodeName, deviceModelRef, properties = [] } = device.spec;
  const problems: DeviceProblem[] = [];
  if (nodeName && !nodeExists) problems.push({ reason: 'NodeNotFound', message: `there is no node "${nodeName}"; the device is used when it joins` });
  if (!deviceModelRef?.name) {
    problems.push({ reason: 'ModelMissing', message: 'spec.deviceModelRef.name is empty; a mapper is given only devices with a model' });
  } else if (!model) {
    problems.push({ reason: 'ModelNotFound', message: `there is no DeviceModel "${deviceModelRef.name}" in namespace "${device.metadata.namespace ?? ''}"` });
  } else {
    const known = new Set(model.spec.properties?.map((property) => property.name));
    for (const { name } of properties) {
      if (!known.has(name)) problems.push({ reason: 'UnknownProperty', message: `property "${name}" is not in DeviceModel "${deviceModelRef.name}", which has: ${[...known].join(', ') || 'none'}` });
    }
  }
  for (const { name } of properties) {
    if (!TWIN_NAME.test(name ?? '')) problems.push({ reason: 'UnreportableProperty', message: `property "${name ?? ''}" cannot be reported: a name has 1 to 128 letters, digits or - _ . , : / @ #` });
  }
  return problems;
}
