import type { CloudLink, Logger, NodeIdentity } from '@edge/core';
import type { MetaClient } from '../apply/meta-client.js';
import type { EdgedConfig } from '../config.js';
import type { Isolation } from '../isolation/isolation.js';
import { LogLinks } from '../logs/log-links.js';
import { TerminationMessages } from '../messages/termination-messages.js';
import type { NodeFacts } from '../node/node-facts.js';
import { network } from '../reach/network.js';
import type { OpenedRuntime } from '../runtime/open-runtime.js';
import { createVolumes } from '../volumes/create-volumes.js';
import type { CsiDrivers } from '../volumes/csi/drivers.js';
import { Leftovers } from './leftovers.js';
import { PodEvents } from './pod-events.js';
import { PodManager, type PodManagerDeps } from './pod-manager.js';

/** Milliseconds between listings of the runtime: with events a net under them, without them the only way to notice. */
const RELIST_MS = 10_000;
const RELIST_WITHOUT_EVENTS_MS = 2_000;

export interface PodManagerParts extends Pick<PodManagerDeps, 'meta' | 'objects' | 'images' | 'isolation' | 'admission' | 'onRuntime' | 'onMirrors'> {
  readonly config: EdgedConfig;
  readonly identity: NodeIdentity;
  readonly link: CloudLink;
  readonly meta: MetaClient;
  readonly runtime: OpenedRuntime;
  readonly drivers: CsiDrivers;
  readonly facts: NodeFacts;
  readonly isolation: Isolation | undefined;
  readonly log: Logger;
}

/** The manager of all pods, with what it needs for a runtime. */
export async function createPodManager(parts: PodManagerParts): Promise<PodManager> {
  const { config, identity, link, meta, objects, images, runtime, drivers, facts, isolation, admission, onRuntime, onMirrors, log } = parts;
  const { rootDirectory: root, podLogsDir } = config;
  const nodeName = identity.name;
  const volumes = await createVolumes({ root, runtime, meta, objects, drivers, nodeName, log });
  return new PodManager({
    runtime,
    runtimeName: (await runtime.version()).name,
    reach: runtime.reach ?? network,
    meta,
    objects,
    links: new LogLinks({ podLogsDir, log }),
    messages: new TerminationMessages({ root, log }),
    images,
    volumes,
    leftovers: new Leftovers({ root, podLogsDir, removePod: (uid, signal) => volumes.remove(uid, signal), log }),
    isolation,
    events: new PodEvents({ meta, report: config.reportEvent, nodeName, log }),
    nodeName,
    namespace: config.registerNodeNamespace,
    podLogsDir,
    garbage: config.garbage,
    maxDead: config.maxDead,
    relistMs: runtime.events ? RELIST_MS : RELIST_WITHOUT_EVENTS_MS,
    hostIPs: () => facts.addresses,
    facts: (podIPs) => ({ nodeName, hostIPs: facts.addresses, podIPs, allocatable: facts.allocatable, localApi: config.localApi }),
    connected: () => link.value.connected,
    admission,
    onRuntime,
    onMirrors,
    log,
  });
}
