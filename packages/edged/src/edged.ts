import { sleep, type CloudLink, type Life, type Logger, type MessageBus, type NodeIdentity, type Runnable } from '@edge/core';
import { Operations, type Message, type ResourcePath } from '@edge/protocol';
import { MetaClient } from './apply/meta-client.js';
import { PodCommands } from './commands/pod-commands.js';
import type { EdgedConfig } from './config.js';
import { edgedError } from './errors.js';
import { createNodeReporter } from './node/create-node-reporter.js';
import { NodeRemarks } from './node/node-remarks.js';
import { LeaseKeeper } from './node/lease-keeper.js';
import { NodeFacts } from './node/node-facts.js';
import { NodeKnown } from './node/node-known.js';
import type { NodeReporter } from './node/node-reporter.js';
import { createPodWork, type PodWork } from './pod-work.js';
import { isPod } from './pods/pod-list.js';
import type { PodManager } from './pods/pod-manager.js';
import { prepareRoot } from './root-directory.js';
import type { OpenedRuntime, OpenRuntime } from './runtime/open-runtime.js';
import { RuntimeKeeper } from './runtime/runtime-keeper.js';
import { createKubeletApi } from './server/create-kubelet-api.js';
import { listingProblem } from './server/health.js';
import type { KubeletApi, KubeletEndpoint } from './server/kubelet-api.js';
import type { PodHost } from './server/pod-host.js';
import { AgentMetrics } from './stats/agent-metrics.js';
import { ModuleMetrics } from './stats/module-metrics.js';
import { measuredRuntime } from './stats/measured-runtime.js';
import { probeMetrics } from './stats/probe-metrics.js';
import { afterwards, together } from './together.js';
import { controlVolume } from './volumes/csi/csi-controller.js';
import { CsiDrivers } from './volumes/csi/drivers.js';

export interface EdgedDeps {
  readonly bus: MessageBus;
  readonly link: CloudLink;
  readonly identity: NodeIdentity;
  readonly config: EdgedConfig;
  readonly openRuntime: OpenRuntime;
  readonly log: Logger;
}

const FIRST_TRY_MS = 3_000;

/** The pods of the node and the node itself. */
export class Edged implements Runnable {
  readonly #deps: EdgedDeps;
  readonly #meta: MetaClient;
  readonly #known = new NodeKnown();
  readonly #remarks = new NodeRemarks();
  readonly #metrics = new AgentMetrics();
  readonly #drivers: CsiDrivers;
  #signal: AbortSignal = AbortSignal.abort();
  #runtime: OpenedRuntime | undefined;
  /** Undefined until there is a runtime. */
  #work: PodWork | undefined;
  /** The node was away before its pods were looked after. */
  #awayBefore = false;
  /** Releases that came before there was a runtime. */
  readonly #releases: ResourcePath[] = [];
  #node: NodeReporter | undefined;
  #facts: NodeFacts | undefined;
  readonly #api: KubeletApi;
  readonly #commands: PodCommands;

  constructor(deps: EdgedDeps) {
    this.#deps = deps;
    this.#meta = new MetaClient({ bus: deps.bus });
    this.#drivers = new CsiDrivers({ root: deps.config.rootDirectory, log: deps.log });
    const host: PodHost = { pods: () => this.#manager?.pods, runtime: () => this.#runtime };
    this.#commands = new PodCommands({ host });
    this.#api = this.#createApi(host);
  }

  async run(life: Life): Promise<void> {
    const { config, log, openRuntime, identity, link } = this.#deps;
    this.#signal = life.signal;
    if (config.unsupported.length > 0) log.warn('settings without effect in this agent', { settings: config.unsupported.join(', ') });
    await prepareRoot(config.rootDirectory);
    const hostIP = (await identity.addresses())[0] ?? '127.0.0.1';
    const open = async (): Promise<OpenedRuntime> => measuredRuntime(await openRuntime({ config, hostIP, log, signal: life.signal }), (...call) => this.#metrics.runtimeCall(...call));
    await using keeper = new RuntimeKeeper({ open, onReady: () => this.#manager?.runtimeReady(), maxImages: config.nodeStatusMaxImages, log });
    // Usually it is there at once, and then the node's first message says Ready. A hanging one keeps nobody waiting.
    await Promise.race([keeper.tryOpen(), sleep(FIRST_TRY_MS, life.signal)]);
    const facts = new NodeFacts({
      identity,
      config,
      known: this.#known,
      runtime: keeper,
      notReady: () => (this.#work?.policy.shutdown.running ? ['node is shutting down'] : []),
      pressure: () => this.#work?.policy.eviction.pressure ?? new Set(),
      onAddresses: () => this.#manager?.nodeChanged(),
    });
    await facts.refresh();
    this.#facts = facts;
    this.#node = createNodeReporter({ config, identity, meta: this.#meta, link, known: this.#known, facts, remarks: this.#remarks, log });
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
    using _session = link.subscribe(({ connected }) => connected && this.#manager?.sessionBegan());
    life.ready();
    await together(afterwards(life.signal, () => this.#work?.policy.shutdown.endPods()), [
      (signal) => this.#node?.run(signal),
      (signal) => lease.run(signal),
      (signal) => this.#runPods(keeper, facts, signal),
      (signal) => this.#api.run(signal),
    ]);
  }

  /** The runtime may come up after the agent; the pods' messages until then are in the store. */
  async #runPods(keeper: RuntimeKeeper, facts: NodeFacts, signal: AbortSignal): Promise<void> {
    const runtime = await keeper.opened(signal);
    this.#runtime = runtime;
    const { config, identity, link, log } = this.#deps;
    const onNode = (): void => this.#node?.wake();
    this.#work = await createPodWork({ config, identity, link, meta: this.#meta, runtime, drivers: this.#drivers, known: this.#known, facts, onNode, log }, signal);
    if (this.#awayBefore) this.#work.manager.wasAway();
    for (const path of this.#releases.splice(0)) this.podReleased(path);
    onNode();
    await this.#work.run(signal);
  }

  get #manager(): PodManager | undefined {
    return this.#work?.manager;
  }

  #wasAway(): void {
    if (this.#manager) this.#manager.wasAway();
    else this.#awayBefore = true;
  }

  /** @throws EdgeError `edged.bad-answer` for something that is no pod */
  podChanged(pod: unknown): void {
    if (!isPod(pod)) throw edgedError('edged.bad-answer', 'the content is no pod');
    this.#manager?.podChanged(pod);
  }

  podDeleted(pod: unknown, { namespace, name }: ResourcePath): void {
    this.#manager?.podDeleted(pod, namespace, name);
  }

  podReleased(path: ResourcePath): void {
    if (this.#manager) this.#manager.release(path.namespace, path.name);
    // Unlike pods it is in no store.
    else this.#releases.push(path);
  }

  objectChanged({ namespace, type, name }: ResourcePath): void {
    this.#manager?.objectChanged(namespace, { kind: type === 'secret' ? 'secret' : 'configmap', name });
  }

  /** @throws EdgeError `edged.csi`, `edged.bad-answer` */
  volumeOperation({ route: { operation }, content }: Message): Promise<object> {
    return controlVolume(this.#drivers, operation, content, this.#signal);
  }

  podPatchAnswered(message: Message): void {
    if (message.route.operation === Operations.response) this.#manager?.patchAnswered(message);
  }

  nodePatchAnswered(message: Message): void {
    if (message.route.operation === Operations.response) this.#node?.patchAnswered(message);
  }

  podDeleteAnswered(content: unknown, { route }: Message): void {
    if (content !== 'OK') this.#deps.log.verbose(1, 'the cloud answered a pod deletion with something else than OK', { resource: route.resource });
  }

  /** @throws EdgeError `edged.bad-answer` */
  remarkOnNode(content: unknown): void {
    if (this.#remarks.take(content)) this.#node?.wake();
  }

  /** Where the local kubelet API is. @throws EdgeError `edged.no-api` */
  get kubeletEndpoint(): KubeletEndpoint {
    return this.#api.endpoint;
  }

  /** Whether the node can run pods, as its condition Ready says it now, and why not. */
  async nodeReadiness(): Promise<{ readonly ready: boolean; readonly reason: string }> {
    const condition = (await this.#facts?.refresh())?.conditions.find(({ type }) => type === 'Ready');
    return { ready: condition?.status === 'True', reason: condition?.message ?? 'the node has not been looked at yet' };
  }

  /** @throws EdgeError `edged.bad-answer` */
  restartPods(message: Message): Promise<object> {
    return this.#commands.restart(message, this.#signal);
  }

  /** @throws EdgeError `edged.bad-answer` */
  runCommand(message: Message): Promise<object> {
    return this.#commands.exec(message, this.#signal);
  }

  /** @throws EdgeError `edged.no-runtime`, and those of `OrderedPulls.pull` */
  pullImage({ content }: Message): Promise<object> {
    if (!this.#work) throw edgedError('edged.no-runtime', 'the container runtime has not been reached yet');
    return this.#work.pulls.pull(content, this.#signal);
  }

  #createApi(host: PodHost): KubeletApi {
    const { config, identity, log } = this.#deps;
    return createKubeletApi({
      config,
      host,
      agent: this.#metrics,
      others: new ModuleMetrics({ bus: this.#deps.bus }),
      probes: () => probeMetrics(this.#manager?.probeCounts() ?? []),
      syncProblem: () => listingProblem(this.#manager?.listedAt),
      nodeName: identity.name,
      version: identity.version,
      log: log.named('kubelet-api'),
    });
  }
}
