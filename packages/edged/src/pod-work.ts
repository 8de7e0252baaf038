import type { CloudLink, Logger, NodeIdentity } from '@edge/core';
import type { MetaClient } from './apply/meta-client.js';
import { ObjectReader } from './apply/object-reader.js';
import type { EdgedConfig } from './config.js';
import { createImagePulling } from './images/create-images.js';
import { ImageCollector } from './images/image-collector.js';
import type { OrderedPulls } from './images/ordered-pulls.js';
import { podsCgroup } from './isolation/cgroup-paths.js';
import { chooseDriver } from './isolation/driver.js';
import { openIsolation, sysctlRulesOfNode } from './isolation/open-isolation.js';
import { refusedSysctl } from './isolation/sysctls.js';
import { LogRotation } from './logs/log-rotation.js';
import type { NodeFacts } from './node/node-facts.js';
import type { NodeKnown } from './node/node-known.js';
import { createPodManager } from './pods/create-pod-manager.js';
import type { PodManager } from './pods/pod-manager.js';
import { hasEnded } from './pods/pods-view.js';
import { Policy } from './policy/policy.js';
import type { OpenedRuntime } from './runtime/open-runtime.js';
import { ManifestDirectory } from './static-pods/manifest-directory.js';
import { MirrorPods } from './static-pods/mirror-pods.js';
import { together } from './together.js';
import type { CsiDrivers } from './volumes/csi/drivers.js';
import { SizeLimits } from './volumes/size-limits.js';

export interface PodWorkParts {
  readonly config: EdgedConfig;
  readonly identity: NodeIdentity;
  readonly link: CloudLink;
  readonly meta: MetaClient;
  readonly runtime: OpenedRuntime;
  readonly drivers: CsiDrivers;
  readonly known: NodeKnown;
  readonly facts: NodeFacts;
  /** What the node has to say about itself has changed. */
  readonly onNode: () => void;
  readonly log: Logger;
}

/** All that works on pods, once there is a container runtime. */
export interface PodWork {
  readonly manager: PodManager;
  readonly policy: Policy;
  /** Pulls for jobs. */
  readonly pulls: OrderedPulls;
  /** Runs until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

/**
 * Puts it together; nothing works on pods before `run`. That is why parts may name others that are made after them.
 * @param signal bounds the questions to runtime and machine that come first
 */
export async function createPodWork(parts: PodWorkParts, signal: AbortSignal): Promise<PodWork> {
  const { config, identity, link, meta, runtime, drivers, known, facts, onNode, log } = parts;
  const { rootDirectory, podLogsDir } = config;
  const isolation = runtime.cgroupDriver
    ? await openIsolation({
        runtime,
        config: config.isolation,
        rules: config.rules,
        rootDirectory,
        pods: () => manager.pods.list().flatMap((record) => (hasEnded(record) ? [] : record.pod)),
        nodeIPs: () => facts.addresses,
        signal,
        log,
      })
    : undefined;
  const objects = new ObjectReader({ meta, log });
  const { images, ordered: pulls } = createImagePulling({ runtime, objects, rootDirectory, rules: config.pulls, log });
  const manager = await createPodManager({
    config,
    identity,
    link,
    meta,
    objects,
    images,
    runtime,
    drivers,
    facts,
    isolation,
    admission: { admit: (pod, begun) => policy.admission.admit(pod, begun), forget: (uid) => policy.admission.forget(uid) },
    onRuntime: onNode,
    onMirrors: () => mirrors.wake(),
    log,
  });
  const { pods } = manager;
  const rotation = new LogRotation({ runtime, podLogsDir, rules: config.logs, log });
  const collector = new ImageCollector({
    runtime,
    rules: config.imageGc,
    sandboxImage: config.podSandboxImage,
    pods: () => (manager.complete ? pods.list().map(({ pod }) => pod) : undefined),
    connected: () => link.value.connected,
    log,
  });
  const sizes = new SizeLimits({ root: rootDirectory, pods, control: pods, log });
  const sysctls = sysctlRulesOfNode(config.isolation);
  const { driver } = chooseDriver(config.isolation.cgroupDriver, await runtime.cgroupDriver?.(signal));
  const policy = new Policy({
    nodeName: identity.name,
    config,
    runtime,
    pods,
    known,
    facts,
    podsGroup: podsCgroup({ driver, root: config.isolation.cgroupRoot }),
    checks: isolation ? [(pod) => refusedSysctl(pod, sysctls)] : [],
    reclaimDisk: async (until) => void (await collector.removeUnused(until)),
    onChange: onNode,
    log,
  });
  const mirrors = new MirrorPods({ meta, link, node: () => known.value, scene: () => manager.mirrorScene(), onMirror: (mirror) => manager.mirrorChanged(mirror), log });
  const files = new ManifestDirectory({
    path: config.staticPodPath,
    nodeName: identity.name,
    checkMs: config.staticPodCheckMs,
    onPods: (found, whole) => manager.setLocal(found, whole),
    log,
  });
  return {
    manager,
    policy,
    pulls,
    run: async (end) => {
      using _node = known.cell.subscribe(() => mirrors.wake());
      await together(end, [
        (until) => manager.run(until),
        (until) => rotation.run(until),
        (until) => collector.run(until),
        (until) => sizes.run(until),
        (until) => (runtime.cgroupDriver ? drivers.run(until) : undefined),
        (until) => isolation?.run(until),
        (until) => files.run(until),
        (until) => mirrors.run(until),
        (until) => policy.eviction.run(until),
      ]);
    },
  };
}
