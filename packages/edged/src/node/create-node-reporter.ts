import type { CloudLink, Logger, NodeIdentity } from '@edge/core';
import type { MetaClient } from '../apply/meta-client.js';
import type { EdgedConfig } from '../config.js';
import { nodeLabels, nodeObject } from '../plan/node-status.js';
import type { NodeFacts } from './node-facts.js';
import type { NodeKnown } from './node-known.js';
import type { NodeRemarks } from './node-remarks.js';
import { NodeReporter } from './node-reporter.js';

export interface NodeReporterParts {
  readonly config: EdgedConfig;
  readonly identity: NodeIdentity;
  readonly meta: MetaClient;
  readonly link: CloudLink;
  readonly known: NodeKnown;
  /** Refreshed at least once. */
  readonly facts: NodeFacts;
  readonly remarks: NodeRemarks;
  readonly log: Logger;
}

/** The reporter of this machine as a node. */
export function createNodeReporter({ config, identity, meta, link, known, facts, remarks, log }: NodeReporterParts): NodeReporter {
  const { architecture, operatingSystem } = facts.machine;
  const about = { name: identity.name, architecture, operatingSystem, labels: config.nodeLabels };
  return new NodeReporter({
    meta,
    link,
    known,
    nodeName: identity.name,
    register: config.registerNode,
    updateMs: config.nodeStatusUpdateMs,
    reportMs: config.nodeStatusReportMs,
    wanted: async () => ({ status: await facts.refresh(), labels: nodeLabels(about), annotations: remarks.all }),
    object: ({ status }) =>
      nodeObject({ ...about, status, taints: [...config.registerWithTaints], schedulable: config.registerSchedulable, port: config.readOnlyPort }),
    log,
  });
}
