import { status } from '@grpc/grpc-js';
import type { Step } from '../plan/plan.js';
import type { CallOutcome, MapperConnection } from './connection.js';

/**
 * One step as a call of the mapper's interface.
 * @throws EdgeError `core.aborted`
 */
export async function perform(connection: MapperConnection, step: Step, signal: AbortSignal): Promise<CallOutcome> {
  if (step.kind === 'model') {
    if (step.call === 'create') return connection.call('createDeviceModel', { model: step.message }, signal);
    if (step.call === 'update') return connection.call('updateDeviceModel', { model: step.message }, signal);
    const [modelNamespace, modelName] = parts(step.id);
    return connection.call('removeDeviceModel', { modelName, modelNamespace }, signal);
  }
  if (step.call === 'create') return connection.call('registerDevice', { device: step.message }, signal);
  if (step.call === 'update') return connection.call('updateDevice', { device: step.message }, signal);
  const [deviceNamespace, deviceName] = parts(step.id);
  if (step.call === 'removeIfThere') {
    const there = await connection.call('getDevice', { deviceName, deviceNamespace }, signal);
    if (there.kind === 'lost') return there;
    if (there.kind === 'refused' && there.code !== status.UNIMPLEMENTED) return { kind: 'done' };
  }
  return connection.call('removeDevice', { deviceName, deviceNamespace }, signal);
}

function parts(id: string): [string, string] {
  const slash = id.indexOf('/');
  return [id.slice(0, slash), id.slice(slash + 1)];
}

/** The name of the call, for people. */
export function callName(step: Step): string {
  const verbs = { create: step.kind === 'model' ? 'Create' : 'Register', update: 'Update', remove: 'Remove', removeIfThere: 'Remove' } as const;
  return `${verbs[step.call]}Device${step.kind === 'model' ? 'Model' : ''}`;
}
