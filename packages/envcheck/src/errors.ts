import { EdgeError } from '@edge/core';
import type { RunningProcess } from './process-list.js';

/**
 * Stable codes. The program ends with exit code 1 on each of them.
 * `envcheck.conflicting-process`: a kubelet or kube-proxy runs here.
 * `envcheck.interface-unusable`: the configured interface is not there, is down, or has no usable address.
 * `envcheck.node-ip-invalid`: the configured node address cannot be one.
 */
export type EnvironmentErrorCode = 'envcheck.conflicting-process' | 'envcheck.interface-unusable' | 'envcheck.node-ip-invalid';

export class EnvironmentError extends EdgeError {
  override readonly name = 'EnvironmentError';
  declare readonly code: EnvironmentErrorCode;
  /** The processes in the way; empty for the other codes. */
  readonly processes: readonly RunningProcess[];

  constructor(code: EnvironmentErrorCode, message: string, processes: readonly RunningProcess[] = []) {
    super(code, message);
    this.processes = processes;
  }
}
