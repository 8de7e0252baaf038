import { badRequest, readBody, respondText, type DraftObject, type RequestHook } from '@edge/kubeapi';
import { isDevice, type DeviceEdits } from '../api/device-edits.js';
import { BODY_LIMIT } from './body-limit.js';
import { isKeadm } from './logs.js';

/**
 * `keadm ctl edit device`: a PUT that changes the device on this node alone, also while the cloud is there, and is answered in
 * plain text. A PUT of anybody else is a change in the cloud. [metaserver-34.1]
 */
export function keadmDeviceEdit(devices: DeviceEdits): RequestHook {
  return async ({ method, ref, query, request, response, context }) => {
    if (method !== 'PUT' || ref === undefined || !isDevice(ref) || !isKeadm(request)) return false;
    const draft = draftIn((await readBody(request, BODY_LIMIT)).toString('utf8'));
    const isDryRun = query.get('dryRun') === 'All';
    await devices.change(ref, (local) => local.update(ref, draft, { dryRun: true }, context), isDryRun);
    respondText(response, 200, 'OK', 'text/plain; charset=utf-8');
    return true;
  };
}

function draftIn(text: string): DraftObject {
  try {
    return JSON.parse(text) as DraftObject;
  } catch (error) {
    throw badRequest(`the body must be a Device in JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}
