import type { RuntimeStreaming } from '@edge/core';
import type { CriConnection } from './connect.js';
import { RuntimeServiceDefinition } from './generated/api.js';

const { fullName, methods } = RuntimeServiceDefinition;

/** URLs of the runtime's own streaming server. */
export function createStreaming(connection: CriConnection): RuntimeStreaming {
  return {
    execUrl: async (containerId, { command, ...streams }, signal) =>
      (await connection.call(fullName, methods.exec, { containerId, cmd: [...command], ...streams }, { signal })).url,
    attachUrl: async (containerId, streams, signal) => (await connection.call(fullName, methods.attach, { containerId, ...streams }, { signal })).url,
    portForwardUrl: async (podSandboxId, ports, signal) => (await connection.call(fullName, methods.portForward, { podSandboxId, port: [...ports] }, { signal })).url,
  };
}
