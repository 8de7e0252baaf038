import { EdgeError } from '@edge/core';

/** Codes of this package: what each one means. */
export const EdgeMeshErrors = {
  /** metamanager does not give its objects. */
  noObjects: 'edgemesh.no-objects',
  /** A message of metamanager is not as agreed. */
  malformed: 'edgemesh.malformed',
  /** EdgeMesh or kube-proxy does the same work on this node. */
  otherMesh: 'edgemesh.other-mesh',
  /** The link with the node's own address for services cannot be had. */
  link: 'edgemesh.link',
  /** The kernel cannot be asked to send connections on, or the node's ways cannot be set. */
  intercept: 'edgemesh.intercept',
  /** The thread that carries connections ended by itself. */
  carrier: 'edgemesh.carrier',
  /** The address or port for names cannot be had. */
  listen: 'edgemesh.listen-failed',
} as const;

export function edgeMeshError(code: (typeof EdgeMeshErrors)[keyof typeof EdgeMeshErrors], message: string, cause?: unknown): EdgeError {
  return new EdgeError(code, message, cause === undefined ? undefined : { cause });
}
