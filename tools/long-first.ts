import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * The files that take longest, the longest first: begun at the end, one of them would go on alone. What takes less than
 * ten seconds need not stand here; a name that is gone does no harm.
 */
const LONG = [
  'tools/published.test.ts',
  'tools/readme.test.ts',
  'tools/workspace.test.ts',
  'tools/alone.test.ts',
  'packages/upgrade/test/power.test.ts',
  'packages/upgrade/test/upgrade.test.ts',
  'packages/upgrade/test/fetch.test.ts',
  'packages/cli/test/conformance/node.conformance.test.ts',
  'packages/cli/test/upgrade/upgrade.e2e.test.ts',
  'packages/cli/test/cuts.e2e.test.ts',
  'packages/cli/test/nothing-lost.e2e.test.ts',
  'packages/cli/test/containerd/streams.e2e.test.ts',
  'packages/cli/test/containerd/faults.e2e.test.ts',
  'packages/cli/test/outage.e2e.test.ts',
  'packages/cli/test/containerd/kills.e2e.test.ts',
  'packages/cli/test/containerd/power-cycle.e2e.test.ts',
  'packages/cli/test/devices/payloads.e2e.test.ts',
  'packages/cli/test/containerd/stream-cuts.e2e.test.ts',
  'packages/cli/test/devices/drift.e2e.test.ts',
  'packages/cli/test/recorded/recorded.test.ts',
  'packages/cli/test/hostile.e2e.test.ts',
  'packages/cli/test/node-gone.e2e.test.ts',
  'packages/cli/test/containerd/disk.e2e.test.ts',
  'packages/cli/test/dev.e2e.test.ts',
  'packages/cli/test/containerd/adoption.e2e.test.ts',
  'packages/cli/test/containerd/dev.e2e.test.ts',
  'packages/cli/test/local-api/node-api.e2e.test.ts',
  'packages/cli/test/containerd/clock.e2e.test.ts',
  'packages/cli/test/local-api/streams.test.ts',
  'packages/cli/test/install.e2e.test.ts',
  'packages/cri/test/cri.contract.test.ts',
  'packages/cri/test/containerd.test.ts',
  'packages/edged/test/process-runtime.test.ts',
  'packages/edged/test/process-runtime.contract.test.ts',
  'packages/edged/test/images-and-logs.test.ts',
  'packages/edgehub/test/link.test.ts',
  'packages/edged/test/process-runtime.kill.test.ts',
  'packages/edged/test/pods.test.ts',
  'packages/edgemesh/test/nodes.e2e.test.ts',
  'packages/edgehub/test/hostile.test.ts',
  'packages/metaserver/test/kubectl.test.ts',
  'packages/edgehub/test/certificates.test.ts',
  'packages/eventbus/test/outages.test.ts',
  'packages/edged/test/isolation.test.ts',
  'packages/store/test/kill.test.ts',
  'packages/mapper/test/pushes.test.ts',
  'packages/minicloud/test/cluster.test.ts',
  'packages/edged/test/probes.containerd.test.ts',
  'packages/edged/test/policy.containerd.test.ts',
  'packages/edgehub/test/diagnosis.test.ts',
  'packages/minicloud/test/kubectl.test.ts',
  'packages/kubeapi/test/kubectl.test.ts',
  'packages/edged/test/process-runtime.table.test.ts',
  'packages/edgehub/test/kill.test.ts',
];

/** Projects in the order in which they begin. What is not here comes after `@edge/cli`. */
const ORDER = ['tools', '@edge/upgrade', '@edge/cli', undefined, 'packages'];

/**
 * Puts the files of a project together, since a process can go on with the next file only when it is one of the same
 * project; in each project the long files come before everything else.
 */
export class TogetherLongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId, project }: TestSpecification): number => {
      const place = ORDER.includes(project.name) ? ORDER.indexOf(project.name) : ORDER.indexOf(undefined);
      const at = LONG.findIndex((path) => moduleId.endsWith(`/${path}`));
      return place * (LONG.length + 1) + (at < 0 ? LONG.length : at);
    };
    return (await super.sort(files)).sort((one, other) => rank(one) - rank(other));
  }
}
