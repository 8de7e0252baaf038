import { constants } from 'node:fs';
import { access, mkdir } from 'node:fs/promises';
import { setMaxListeners } from 'node:events';
import { errorText, isAbort, sleep, type CloudLink, type Life, type Logger, type MessageBus, type NodeIdentity, type Runnable } from '@edge/core';
import { Operations, type Message, type Pod, type ResourcePath } from '@edge/protocol';
import { MetaClient } from './apply/meta-client.js';
import { ObjectReader } from './apply/object-reader.js';
import { controlVolume } from './volumes/csi/csi-controller.js';
import { CsiDrivers } from './volumes/csi/drivers.js';
import { SizeLimits } from './volumes/size-limits.js';
import { createVolumes } from './volumes/create-volumes.js';
import type { EdgedConfig } from './config.js';
import { edgedError } from './errors.js';
import { createImages } from './images/create-images.js';
import { ImageCollector } from './images/image-collector.js';
import { LogLinks } from './logs/log-links.js';
import { LogRotation } from './logs/log-rotation.js';
import { TerminationMessages } from './messages/termination-messages.js';
import type { Isolation } from './isolation/isolation.js';
import type { LinuxIsolation } from './isolation/linux-isolation.js';
import { podsCgroup } from './isolation/cgroup-paths.js';
import { chooseDriver } from './isolation/driver.js';
import { openIsolation, sysctlRulesOfNode } from './isolation/open-isolation.js';
import { refusedSysctl } from './isolation/sysctls.js';
import { LeaseKeeper } from './node/lease-keeper.js';
import { NodeFacts } from './node/node-facts.js';
import { NodeKnown } from './node/node-known.js';
import { NodeReporter } from './node/node-reporter.js';
import { isTerminalPhase } from './plan/containers.js';
import { nodeLabels, nodeObject } from './plan/node-status.js';
import { Leftovers } from './pods/leftovers.js';
import { PodEvents } from './pods/pod-events.js';
import { isPod } from './pods/pod-list.js';
import { PodManager } from './pods/pod-manager.js';
import { network } from './reach/network.js';
import type { PodRecord } from './pods/pods-view.js';
import { Policy } from './policy/policy.js';
import type { OpenedRuntime, OpenRuntime } from './runtime/open-runtime.js';
import { RuntimeKeeper } from './runtime/runtime-keeper.js';
import { createKubeletApi } from './server/create-kubelet-api.js';
import type { KubeletApi } from './server/kubelet-api.js';
import { steadyNow } from './steady-clock.js';
import { AgentMetrics } from './stats/agent-metrics.js';
import { probeMetrics } from './stats/probe-metrics.js';
import { measuredRuntime } from './stats/measured-runtime.js';
import { ManifestDirectory } from './static-pods/manifest-directory.js';
import { MirrorPods } from './static-pods/mirror-pods.js';

export interface EdgedDeps {
  readonly bus: MessageBus;
  readonly link: CloudLink;
  readonly identity: NodeIdentity;
  readonly config: EdgedConfig;
  readonly openRuntime: OpenRuntime;
  readonly log: Logger;
}

/** Milliseconds between listings of the runtime: with events a net under them, without them the only way to notice. */
const RELIST_MS = 10_000;
const RELIST_WITHOUT_EVENTS_MS = 2_000;
const FIRST_TRY_MS = 3_000;
/** Without a listing for this long the work on pods does not go on; upstream's limit. */
const STUCK_MS = 300_000;

/** The pods of the node and the node itself. */
export class Edged implements Runnable {
  readonly #deps: EdgedDeps;
  readonly #meta: MetaClient;
  readonly #known = new NodeKnown();
  readonly #metrics = new AgentMetrics();
  readonly #drivers: CsiDrivers;
  #signal: AbortSignal = AbortSignal.abort();
  #runtime: OpenedRuntime | undefined;
  #pods: PodManager | undefined;
  /** The node was away before its pods were looked after. */
  #awayBefore = false;
  #policy: Policy | undefined;
  #mirrors: MirrorPods | undefined;
  /** Releases that came before there was a runtime. */
  readonly #releases: ResourcePath[] = [];
  #node: NodeReporter | undefined;

  constructor(deps: EdgedDeps) {
    this.#deps = deps;
    this.#meta = new MetaClient({ bus: deps.bus });
    this.#drivers = new CsiDrivers({ root: deps.config.rootDirectory, log: deps.log });
  }

  async run(life: Life): Promise<void> {
    const { config, log, openRuntime, identity, link } = this.#deps;
    this.#signal = life.signal;
    if (config.unsupported.length > 0) log.warn('settings without effect in this agent', { settings: config.unsupported.join(', ') });
    await prepareRoot(config.rootDirectory);
    const hostIP = (await identity.addresses())[0] ?? '127.0.0.1';
    const open = async (): Promise<OpenedRuntime> => measuredRuntime(await openRuntime({ config, hostIP, log }), (...call) => this.#metrics.runtimeCall(...call));
    await using keeper = new RuntimeKeeper({ open, onReady: () => this.#pods?.runtimeReady(), maxImages: config.nodeStatusMaxImages, log });
    // Usually it is there at once, and then the node's first message says Ready. A hanging one keeps nobody waiting.
    await Promise.race([keeper.tryOpen(), sleep(FIRST_TRY_MS, life.signal)]);
    const facts = new NodeFacts({
      identity,
      config,
      known: this.#known,
      runtime: keeper,
      notReady: () => (this.#policy?.shutdown.running ? ['node is shutting down'] : []),
      pressure: () => this.#policy?.eviction.pressure ?? new Set(),
      onAddresses: () => this.#pods?.nodeChanged(),
    });
    await facts.refresh();
    this.#node = this.#reporter(facts);
    const lease = new LeaseKeeper({
      meta: this.#meta,
      link,
      known: this.#known,
      nodeName: identity.name,
      durationSeconds: config.leaseSeconds,
      onAway: () => this.#wasAway(),
      log,
    });
    using _anew = this.#known.onAnother(() => this.#wasAway());
    using _session = link.subscribe(({ connected }) => connected && this.#pods?.sessionBegan());
    life.ready();
    await together(afterwards(life.signal, () => this.#policy?.shutdown.endPods()), [
      (signal) => this.#node?.run(signal),
      (signal) => lease.run(signal),
      (signal) => this.#runPods(keeper, facts, signal),
      (signal) => this.#api().run(signal),
    ]);
  }

  /** The runtime may come up after the agent; the pods' messages until then are in the store. */
  async #runPods(keeper: RuntimeKeeper, facts: NodeFacts, signal: AbortSignal): Promise<void> {
    const runtime = await keeper.opened(signal);
    this.#runtime = runtime;
    const isolation = runtime.cgroupDriver ? await this.#isolation(runtime, facts, signal) : undefined;
    const { identity, config, link, log } = this.#deps;
    const pods = await this.#manager(runtime, facts, isolation);
    const rotation = new LogRotation({ runtime, podLogsDir: config.podLogsDir, rules: config.logs, log });
    const collector = new ImageCollector({
      runtime,
      rules: config.imageGc,
      sandboxImage: config.podSandboxImage,
      pods: () => (pods.complete ? pods.list().map(({ pod }) => pod) : undefined),
      connected: () => link.value.connected,
      log,
    });
    const sizes = new SizeLimits({ root: config.rootDirectory, pods, control: pods, log });
    const sysctls = sysctlRulesOfNode(config.isolation);
    const { driver } = chooseDriver(config.isolation.cgroupDriver, await runtime.cgroupDriver?.(signal));
    const policy = new Policy({
      nodeName: identity.name,
      config,
      runtime,
      pods,
      known: this.#known,
      facts,
      podsGroup: podsCgroup({ driver, root: config.isolation.cgroupRoot }),
      checks: isolation ? [(pod) => refusedSysctl(pod, sysctls)] : [],
      reclaimDisk: async (until) => void (await collector.removeUnused(until)),
      onChange: () => this.#node?.wake(),
      log,
    });
    const mirrors = new MirrorPods({ meta: this.#meta, link, node: () => this.#known.value, scene: () => pods.mirrorScene(), onMirror: (mirror) => pods.mirrorChanged(mirror), log });
    const files = new ManifestDirectory({
      path: config.staticPodPath,
      nodeName: identity.name,
      checkMs: config.staticPodCheckMs,
      onPods: (found, whole) => pods.setLocal(found, whole),
      log,
    });
    using _node = this.#known.cell.subscribe(() => mirrors.wake());
    this.#policy = policy;
    this.#mirrors = mirrors;
    this.#pods = pods;
    if (this.#awayBefore) pods.wasAway();
    for (const path of this.#releases.splice(0)) this.podReleased(path);
    this.#node?.wake();
    await together(signal, [
      (until) => pods.run(until),
      (until) => rotation.run(until),
      (until) => collector.run(until),
      (until) => sizes.run(until),
      (until) => (runtime.cgroupDriver ? this.#drivers.run(until) : undefined),
      (until) => isolation?.run(until),
      (until) => files.run(until),
      (until) => mirrors.run(until),
      (until) => policy.eviction.run(until),
    ]);
  }

  /** @throws EdgeError `edged.bad-answer` for something that is no pod */
  #wasAway(): void {
    if (this.#pods) this.#pods.wasAway();
    else this.#awayBefore = true;
  }

  podChanged(pod: unknown): void {
    if (!isPod(pod)) throw edgedError('edged.bad-answer', 'the content is no pod');
    this.#pods?.podChanged(pod);
  }

  podDeleted(pod: unknown, { namespace, name }: ResourcePath): void {
    this.#pods?.podDeleted(pod, namespace, name);
  }

  podReleased(path: ResourcePath): void {
    if (this.#pods) this.#pods.release(path.namespace, path.name);
    // Unlike pods it is in no store.
    else this.#releases.push(path);
  }

  objectChanged({ namespace, type, name }: ResourcePath): void {
    this.#pods?.objectChanged(namespace, { kind: type === 'secret' ? 'secret' : 'configmap', name });
  }

  /** @throws EdgeError `edged.csi`, `edged.bad-answer` */
  volumeOperation({ route: { operation }, content }: Message): Promise<object> {
    return controlVolume(this.#drivers, operation, content, this.#signal);
  }

  podPatchAnswered(message: Message): void {
    if (message.route.operation === Operations.response) this.#pods?.patchAnswered(message);
  }

  nodePatchAnswered(message: Message): void {
    if (message.route.operation === Operations.response) this.#node?.patchAnswered(message);
  }

  podDeleteAnswered(content: unknown, { route }: Message): void {
    if (content !== 'OK') this.#deps.log.verbose(1, 'the cloud answered a pod deletion with something else than OK', { resource: route.resource });
  }

  #isolation(runtime: OpenedRuntime, facts: NodeFacts, signal: AbortSignal): Promise<LinuxIsolation> {
    const { config, log } = this.#deps;
    return openIsolation({
      runtime,
      config: config.isolation,
      rules: config.rules,
      rootDirectory: config.rootDirectory,
      pods: () => activePods(this.#pods?.list() ?? []),
      nodeIPs: () => facts.addresses,
      signal,
      log,
    });
  }

  #reporter(facts: NodeFacts): NodeReporter {
    const { config, identity, link, log } = this.#deps;
    const { machine } = facts;
    const about = { name: identity.name, architecture: machine.architecture, operatingSystem: machine.operatingSystem, labels: config.nodeLabels };
    return new NodeReporter({
      meta: this.#meta,
      link,
      known: this.#known,
      nodeName: identity.name,
      register: config.registerNode,
      updateMs: config.nodeStatusUpdateMs,
      reportMs: config.nodeStatusReportMs,
      wanted: async () => ({ status: await facts.refresh(), labels: nodeLabels(about) }),
      object: ({ status }) =>
        nodeObject({ ...about, status, taints: [...config.registerWithTaints], schedulable: config.registerSchedulable, port: config.readOnlyPort }),
      log,
    });
  }

  #api(): KubeletApi {
    const { config, identity, log } = this.#deps;
    return createKubeletApi({
      config,
      host: { pods: () => this.#pods, runtime: () => this.#runtime },
      agent: this.#metrics,
      probes: () => probeMetrics(this.#pods?.probeCounts() ?? []),
      syncProblem: () => syncProblem(this.#pods?.listedAt),
      nodeName: identity.name,
      version: identity.version,
      log: log.named('kubelet-api'),
    });
  }

  async #manager(runtime: OpenedRuntime, facts: NodeFacts, isolation: Isolation | undefined): Promise<PodManager> {
    const { config, identity, link, log } = this.#deps;
    const meta = this.#meta;
    const objects = new ObjectReader({ meta, log });
    const volumes = await createVolumes({ root: config.rootDirectory, runtime, meta, objects, drivers: this.#drivers, nodeName: identity.name, log });
    return new PodManager({
      runtime,
      runtimeName: (await runtime.version()).name,
      reach: runtime.reach ?? network,
      onRuntime: () => this.#node?.wake(),
      meta,
      objects,
      links: new LogLinks({ podLogsDir: config.podLogsDir, log }),
      messages: new TerminationMessages({ root: config.rootDirectory, log }),
      images: createImages({ runtime, objects, rootDirectory: config.rootDirectory, rules: config.pulls, log }),
      volumes,
      leftovers: new Leftovers({ root: config.rootDirectory, podLogsDir: config.podLogsDir, removePod: (uid, signal) => volumes.remove(uid, signal), log }),
      isolation,
      events: new PodEvents({ meta, report: config.reportEvent, nodeName: identity.name, log }),
      nodeName: identity.name,
      namespace: config.registerNodeNamespace,
      podLogsDir: config.podLogsDir,
      garbage: config.garbage,
      maxDead: config.maxDead,
      relistMs: runtime.events ? RELIST_MS : RELIST_WITHOUT_EVENTS_MS,
      hostIPs: () => facts.addresses,
      facts: (podIPs) => ({ nodeName: identity.name, hostIPs: facts.addresses, podIPs, allocatable: facts.allocatable }),
      connected: () => link.value.connected,
      admission: {
        admit: (pod, begun) => this.#policy?.admission.admit(pod, begun) ?? 'wait',
        forget: (uid) => this.#policy?.admission.forget(uid),
      },
      onMirrors: () => this.#mirrors?.wake(),
      log,
    });
  }
}

function syncProblem(listedAt: number | undefined): string | undefined {
  if (listedAt === undefined) return 'the container runtime has not been reached yet';
  const age = steadyNow() - listedAt;
  return age > STUCK_MS ? `the container runtime was last listed ${Math.round(age / 1000)} s ago` : undefined;
}

/** The pods that have not ended. */
function activePods(records: readonly PodRecord[]): Pod[] {
  return records.filter(({ removed, status }) => !removed && !isTerminalPhase(status.phase)).map(({ pod }) => pod);
}

async function prepareRoot(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
    await access(directory, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw edgedError(
      'edged.root-directory',
      `modules.edged.rootDirectory is ${directory}, which this user cannot write (${errorText(cause)}): give it to the user or name another directory`,
      cause,
    );
  }
}

/** Aborts when the other signal has and what comes in between is done. */
function afterwards(signal: AbortSignal, last: () => Promise<void> | undefined): AbortSignal {
  const controller = new AbortController();
  const end = (): void => void Promise.resolve(last()).finally(() => controller.abort(signal.reason));
  if (signal.aborted) end();
  else signal.addEventListener('abort', end, { once: true });
  return controller.signal;
}

/** Runs all until the signal aborts; when one fails the others are stopped and the failure is thrown. */
async function together(signal: AbortSignal, parts: readonly ((signal: AbortSignal) => Promise<void> | undefined)[]): Promise<void> {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  setMaxListeners(0, either);
  const results = await Promise.allSettled(
    parts.map(async (part) => {
      try {
        await part(either);
      } catch (error) {
        failed.abort(error);
        throw error;
      }
    }),
  );
  for (const result of results) {
    if (result.status === 'rejected' && !isAbort(result.reason)) throw result.reason;
  }
}
