import type { StructuralSchema } from '@edge/kubeapi';
import { flag, list, number, object, text, texts } from './schema-terms.js';

/** Schemas of the v1alpha2 node jobs: the fields of KubeEdge's definitions, described in our words. */

const labelSelector = object({
  matchLabels: texts('Labels with the values that the node must have.'),
  matchExpressions: list(object({ key: text(), operator: text('In, NotIn, Exists or DoesNotExist.'), values: list(text()) }, undefined, ['key', 'operator'])),
}, 'Nodes by their labels. Give this or nodeNames.');

const settings = {
  nodeNames: list(text(), 'Nodes by their names. Give these or labelSelector.'),
  labelSelector,
  concurrency: number('How many nodes are at it at the same time; 1 unless given.'),
  timeoutSeconds: number('A node that says nothing for so long is given up. 0 and nothing: it is waited for.'),
  failureTolerate: text('Share of the nodes that may fail, from "0" to "1"; "0" unless given.'),
};

const checkItems = list(text(), 'What must be below 80 % on the node: cpu, mem, disk.');

/** Status as jobs of all kinds have it, with what a node of the kind has besides. */
function status(ofNode: Record<string, StructuralSchema> = {}): StructuralSchema {
  return {
    ...object({
      phase: text('Init, InProgress, Completed or Failure.'),
      reason: text('Why the job has failed.'),
      nodeStatus: list(object({
        nodeName: text(),
        phase: text('Pending, InProgress, Successful, Failure or Unknown.'),
        reason: text('Why the node has failed.'),
        actionFlow: list(object({
          action: text(), status: text('True or False.'), reason: text(), time: text('When it was finished, RFC 3339.'),
        }), 'What the node has done so far.'),
        ...ofNode,
      })),
    }, 'How far the nodes have come.'),
    // What jobs of v1alpha1 say of themselves is kept.
    'x-kubernetes-preserve-unknown-fields': true,
  };
}

export const nodeUpgradeJobSchema: StructuralSchema = object({
  spec: object({
    ...settings, checkItems,
    version: text('Version of EdgeCore to run, such as v1.23.1.'),
    image: text('Image that holds it, without a tag.'),
    imageDigestGatter: {
      ...object({ amd64: text('Digest for amd64, such as sha256:….'), arm64: text('Digest for arm64.'), registryAPI: object({ host: text(), token: text() }), value: text() }, 'What the image must be.'),
      nullable: true,
    },
    requireConfirmation: flag('Whether somebody on the node has to confirm first.'),
  }, 'What to upgrade to, and where.'),
  status: status({ currentVersion: text('What runs now.'), historicVersion: text('What ran before.') }),
}, 'Upgrades EdgeCore on nodes.');

export const imagePrePullJobSchema: StructuralSchema = object({
  spec: object({
    imagePrePullTemplate: object({
      ...settings, checkItems,
      images: list(text(), 'Images to pull.'),
      imageSecrets: text('Secret with the credentials: namespace/name.'),
      retryTimes: number('How often it is tried again.'),
    }, 'What to pull, and where.'),
  }),
  status: status({ imageStatus: list(object({ image: text(), status: text('True or False.'), reason: text() }), 'What became of each image.') }),
}, 'Pulls images on nodes before they are needed.', ['spec']);

export const configUpdateJobSchema: StructuralSchema = object({
  spec: object({ ...settings, updateFields: texts('Keys of edgecore.yaml, such as modules.edgeHub.heartbeat, and their new values.') }, 'What to change, and where.', ['updateFields']),
  status: status(),
}, 'Changes the configuration of nodes.');
