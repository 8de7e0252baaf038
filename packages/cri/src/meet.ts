import { errorCode, type RuntimeVersion } from '@edge/core';
import type { CallLimits, CriConnection } from './connect.js';
import { CriError, CriErrors } from './errors.js';
import { RuntimeServiceDefinition } from './generated/api.js';

const { fullName, methods } = RuntimeServiceDefinition;
const OLD_SERVICE = 'runtime.v1alpha2.RuntimeService';

/** Asks who listens. Answers always: a program without the interface is named together with the remedy. */
export async function meet(connection: CriConnection, limits: CallLimits): Promise<RuntimeVersion> {
  try {
    return await versionOf(connection, fullName, limits);
  } catch (error) {
    if (errorCode(error) !== CriErrors.unimplemented) throw error;
    throw await whyNot(connection, limits);
  }
}

async function versionOf(connection: CriConnection, service: string, limits: CallLimits): Promise<RuntimeVersion> {
  const answer = await connection.call(service, methods.version, { version: 'v1' }, limits);
  return { name: answer.runtimeName, version: answer.runtimeVersion, apiVersion: answer.runtimeApiVersion };
}

async function whyNot(connection: CriConnection, limits: CallLimits): Promise<CriError> {
  const { socket } = connection;
  const where = { socket, call: methods.version.name };
  try {
    const { name, version } = await versionOf(connection, OLD_SERVICE, limits);
    const text = `${name} ${version} at ${socket} speaks the container runtime interface v1alpha2 only, the agent needs v1: update it (containerd 1.6, CRI-O 1.23, or newer)`;
    return new CriError(CriErrors.wrongVersion, text, where);
  } catch (error) {
    if (errorCode(error) !== CriErrors.unimplemented) throw error;
    const text =
      `the program at ${socket} has no container runtime interface. With containerd its cri plugin is switched off or did not load: ` +
      `remove "cri" from disabled_plugins in /etc/containerd/config.toml, look at containerd's log, and restart it`;
    return new CriError(CriErrors.noCri, text, where);
  }
}
