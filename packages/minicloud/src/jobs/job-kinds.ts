import { flowStep, isFields, NodeJobTypes, type Fields, type NodeJobType } from '@edge/protocol';
import type { JobSettings } from './types.js';

/** One kind of node job: what it is called where, and what its nodes are sent. */
export interface JobKind {
  readonly plural: string;
  /** Its name in messages. */
  readonly type: NodeJobType;
  readonly kind: string;
  /** The part of the spec that holds nodes and limits. */
  readonly settings: (spec: Fields) => JobSettings;
  /** The spec as nodes are sent it. */
  readonly content: (spec: Fields) => Fields;
}

/** API version of the jobs whose nodes go their way on their own. */
export const JOBS_API = 'operations.kubeedge.io/v1alpha2';
export const JOBS_GROUP = 'operations.kubeedge.io';

const PULL_FIELDS = ['images', 'nodeNames', 'labelSelector', 'checkItems', 'failureTolerate', 'concurrency', 'timeoutSeconds', 'imageSecrets', 'retryTimes'];

export const JOB_KINDS: readonly JobKind[] = [
  {
    plural: 'nodeupgradejobs', type: NodeJobTypes.upgrade, kind: 'NodeUpgradeJob',
    settings: (spec) => spec,
    // The digests are there even when there are none.
    content: (spec) => inOrder({ ...spec, imageDigestGatter: spec['imageDigestGatter'] ?? null }, [
      'version', 'timeoutSeconds', 'nodeNames', 'labelSelector', 'image', 'imageDigestGatter', 'concurrency', 'checkItems', 'failureTolerate', 'requireConfirmation',
    ], ['imageDigestGatter']),
  },
  {
    plural: 'imageprepulljobs', type: NodeJobTypes.prePull, kind: 'ImagePrePullJob',
    settings: pullTemplate,
    content: (spec) => ({ imagePrePullTemplate: inOrder(pullTemplate(spec), PULL_FIELDS) }),
  },
  {
    plural: 'configupdatejobs', type: NodeJobTypes.configUpdate, kind: 'ConfigUpdateJob',
    settings: (spec) => spec,
    content: (spec) => inOrder(spec, ['nodeNames', 'labelSelector', 'timeoutSeconds', 'concurrency', 'updateFields', 'failureTolerate']),
  },
];

/** Where the store keeps the jobs of a kind. */
export function storedJobs(kind: JobKind): string {
  return `${JOBS_GROUP}/${kind.plural}`;
}

/** Whether a node has nothing to do after an action; undefined: the kind has no such action. */
export function isLastAction(kind: JobKind, action: string, succeeded: boolean): boolean | undefined {
  const step = flowStep(kind.type, action);
  return step && (succeeded ? step.onSuccess : step.onFailure) === undefined;
}

function pullTemplate(spec: Fields): Fields {
  const template = spec['imagePrePullTemplate'];
  return isFields(template) ? template : {};
}

/** Members in the order of CloudCore's messages, without those that a Go program leaves out: false, 0, "" and what is empty. */
function inOrder(fields: Fields, names: readonly string[], always: readonly string[] = []): Fields {
  const kept = names.filter((name) => always.includes(name) || name === 'timeoutSeconds' ? fields[name] !== undefined : !isNothing(fields[name]));
  return Object.fromEntries(kept.map((name) => [name, name === 'updateFields' ? sorted(fields[name]) : fields[name]]));
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null || value === '' || value === 0 || value === false || (Array.isArray(value) && value.length === 0);
}

function sorted(map: unknown): unknown {
  return isFields(map) ? Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1))) : map;
}
