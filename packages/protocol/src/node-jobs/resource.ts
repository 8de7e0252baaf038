import { ProtocolError } from '../errors.js';
import { NODE_JOBS_API } from './names.js';

/** `operations.kubeedge.io/v1alpha2/<type>/<job>/node/<node>`, taken apart. */
export interface NodeJobResource {
  /** Of `NodeJobTypes`, or something that is not known here. */
  readonly type: string;
  readonly job: string;
  readonly node: string;
}

/** True for resources of jobs whose flow the node walks by itself; upstream too looks at the beginning alone. */
export function isNodeJobResource(resource: string): boolean {
  return resource.startsWith(NODE_JOBS_API);
}

export function formatNodeJob({ type, job, node }: NodeJobResource): string {
  return `${NODE_JOBS_API}/${type}/${job}/node/${node}`;
}

/**
 * Reads the resource of a node job: six segments, none of them empty.
 * @throws ProtocolError `protocol.resource`
 */
export function parseNodeJob(resource: string): NodeJobResource {
  const segments = resource.split('/');
  const [group, version, type, job, word, node] = segments;
  if (segments.length !== 6 || `${group}/${version}` !== NODE_JOBS_API || !type || !job || word !== 'node' || !node) {
    throw new ProtocolError('protocol.resource', `resource "${resource.slice(0, 200)}" is not ${NODE_JOBS_API}/<type>/<job>/node/<node>`);
  }
  return { type, job, node };
}
