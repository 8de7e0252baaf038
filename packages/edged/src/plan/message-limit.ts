import type { ContainerState, ContainerStatus } from '@edge/protocol';

/** Bytes that the termination messages of one pod take together at most. */
const POD_BYTES = 12 * 1024;

/**
 * Cuts the termination messages so that all of a pod fit into its status.
 * @param containers how many share the room: all containers of the spec
 */
export function limitMessages(statuses: readonly ContainerStatus[], containers: number): ContainerStatus[] {
  const limit = Math.floor(POD_BYTES / Math.max(1, containers));
  return statuses.map((status) => ({ ...status, state: limited(status.state, limit), lastState: limited(status.lastState, limit) }));
}

function limited(state: ContainerState, limit: number): ContainerState {
  const { terminated } = state;
  if (terminated?.message === undefined) return state;
  const bytes = Buffer.from(terminated.message);
  if (bytes.length <= limit) return state;
  // As a stream the decoder keeps back a character that the cut has torn.
  return { ...state, terminated: { ...terminated, message: new TextDecoder().decode(bytes.subarray(0, limit), { stream: true }) } };
}
