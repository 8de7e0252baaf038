import { setMaxListeners } from 'node:events';
import { isDeepStrictEqual } from 'node:util';
import { backoffDelay, errorText, isAbort, sleep, type ContainerRuntime, type Logger, type RuntimeEvent } from '@edge/core';
import { formatResource, ResourceTypes, strategicMerge, type Message, type Pod } from '@edge/protocol';
import type { MetaClient } from '../apply/meta-client.js';
import type { ObjectReader } from '../apply/object-reader.js';
import { Semaphore } from '../apply/semaphore.js';
import type { ImageProvider } from '../images/images.js';
import type { LogLinks } from '../logs/log-links.js';
import type { TerminationMessages } from '../messages/termination-messages.js';
import type { Isolation } from '../isolation/isolation.js';
import type { Volumes } from '../volumes/volumes.js';
import type { ActualPod } from '../plan/actual.js';
import { shareOfDead, type GarbageRules } from '../plan/garbage.js';
import type { PodFacts } from '../plan/pod-fields.js';
import { objectKey, podReferences, volumeReferences, type ObjectReference } from '../plan/references.js';
import type { PodVerdict } from '../plan/verdict.js';
import { HoldUpgrade } from '../hold/hold-upgrade.js';
import type { Admission } from '../policy/admission.js';
import { isMirror, isStatic, SourceAnnotations } from '../policy/standing.js';
import { fullName, isMirrorOf, type MirrorScene } from '../static-pods/plan-mirrors.js';
import { steadyNow } from '../steady-clock.js';
import { followEvents } from './follow-events.js';
import type { Leftovers } from './leftovers.js';
import type { PodEvents } from './pod-events.js';
import { fromApi, isPod, readLastWords, readPodList } from './pod-list.js';
import { Orphans } from './orphans.js';
import { PodStatuses } from './pod-statuses.js';
import type { PodControl, PodRecord, PodsView } from './pods-view.js';
import { Probes, type ProbeCount } from '../probes/probes.js';
import type { Reach } from '../reach/reach.js';
import { PodWorker } from './pod-worker.js';
import { VolumeRefresh } from '../volumes/volume-refresh.js';
import { isOlder } from './resource-version.js';
import { fingerprint, RuntimeView, type ListedPod } from './runtime-view.js';

/** Sandboxes and containers made at once: enough to use the machine, few enough that a boot with many pods stays responsive. */
const PLACES = 16;
/** While the runtime does not answer: pods are waited for when it comes back. */
const OUTAGE_RELIST_MS = 1_000;
const LIST_RETRY = { firstMs: 200, factor: 2, limitMs: 5_000, jitter: 0.1 };
/** Between looks at what pods mount (files follow their objects, tokens are renewed) and at what pods have left behind. */
const SWEEP_MS = 60_000;
/** Events come in groups. */
const RELIST_SOON_MS = 50;

export interface PodManagerDeps {
  readonly runtime: ContainerRuntime;
  readonly runtimeName: string;
  /** The way to the pods' addresses. */
  readonly reach: Reach;
  readonly meta: MetaClient;
  readonly objects: ObjectReader;
  readonly images: ImageProvider;
  readonly messages: TerminationMessages;
  readonly links: LogLinks;
  readonly volumes: Volumes;
  /** Absent for a runtime that does not isolate. */
  readonly isolation?: Isolation | undefined;
  readonly events: PodEvents;
  readonly leftovers: Leftovers;
  readonly nodeName: string;
  readonly namespace: string;
  readonly podLogsDir: string;
  readonly garbage: GarbageRules;
  /** Dead containers kept on the whole node; infinite for no limit. */
  readonly maxDead: number;
  /** Milliseconds between listings of the runtime. */
  readonly relistMs: number;
  readonly hostIPs: () => readonly string[];
  readonly facts: (podIPs: readonly string[]) => PodFacts;
  readonly connected: () => boolean;
  readonly admission: Pick<Admission, 'admit' | 'forget'>;
  /** Static pods or their mirrors have changed. */
  readonly onMirrors: () => void;
  /** The runtime has stopped to answer, or answers again. */
  readonly onRuntime: (answers: boolean) => void;
  readonly log: Logger;
}

/** All pods of the node: who they are, and a worker for each. */
export class PodManager implements PodsView, PodControl {
  readonly #deps: PodManagerDeps;
  readonly #view: RuntimeView;
  readonly #statuses: PodStatuses;
  readonly #orphans: Orphans;
  readonly #probes: Probes;
  readonly #refresh: VolumeRefresh;
  readonly #workers = new Map<string, PodWorker>();
  readonly #places = new Semaphore(PLACES);
  readonly #hold = new HoldUpgrade();
  /** Pods from files of this node, by uid, and whether all files could be read; undefined until they were. */
  #local: ReadonlyMap<string, Pod> = new Map();
  #localWhole: boolean | undefined;
  /** Images of such pods in the API, by full name. */
  readonly #mirrors = new Map<string, Pod>();
  /** Status patches of an earlier run of the agent that the API may not have heard, by uid there. */
  #lastWords: ReadonlyMap<string, object> = new Map();
  /** What came before the first list; undefined afterwards. */
  #early: (() => void)[] | undefined = [];
  #signal: AbortSignal = AbortSignal.abort();
  #relistSoon: NodeJS.Timeout | undefined;
  #listedAt = steadyNow();
  #mayHaveOrphans = false;
  #garbage: GarbageRules;
  #runtimeAnswers = true;

  constructor(deps: PodManagerDeps) {
    this.#deps = deps;
    this.#garbage = deps.garbage;
    this.#view = new RuntimeView({ runtime: deps.runtime, messages: deps.messages });
    this.#refresh = new VolumeRefresh({
      volumes: deps.volumes,
      facts: (pod) => deps.facts((this.#statuses.previous(pod.metadata.uid ?? '').podIPs ?? []).map(({ ip }) => ip)),
      log: deps.log,
    });
    this.#probes = new Probes({
      runtime: deps.runtime,
      reach: deps.reach,
      hostIPs: deps.hostIPs,
      say: (pod, event) => deps.events.say(pod, event),
      onChange: (uid) => this.#workers.get(uid)?.probed(),
    });
    this.#orphans = new Orphans({
      ...deps,
      onPod: (pod) => this.#accept(pod, true),
      onOrphan: (pod) => this.#end(pod),
    });
    this.#statuses = new PodStatuses({
      meta: deps.meta,
      connected: deps.connected,
      onPod: (pod) => this.#accept(pod),
      log: deps.log,
    });
  }

  /** Runs until the signal aborts. Pods stay as they are then: they outlive the agent. */
  async run(signal: AbortSignal): Promise<void> {
    const ended = new AbortController();
    this.#signal = AbortSignal.any([signal, ended.signal]);
    setMaxListeners(0, this.#signal);
    try {
      await this.#loadList();
      const { runtime, log } = this.#deps;
      await Promise.all([followEvents(runtime, (event) => this.#noticed(event), log, this.#signal), this.#relistNowAndThen(), this.#tidyNowAndThen()]);
    } catch (error) {
      if (!isAbort(error)) throw error;
    } finally {
      ended.abort();
      this.#probes[Symbol.dispose]();
      clearTimeout(this.#relistSoon);
      await Promise.all([...this.#workers.values()].map((worker) => worker.settled()));
    }
  }

  /** A pod was pushed, new or changed. */
  podChanged(pod: Pod): void {
    if (pod.spec.nodeName !== this.#deps.nodeName) return;
    this.#afterList(() => this.#accept(pod, true));
  }

  /**
   * All pods that files of this node define; they run without the cloud. What is not among them any more ends.
   * @param whole false when some files could not be read: nothing of unknown static pods is ended then
   */
  setLocal(pods: readonly Pod[], whole: boolean): void {
    this.#afterList(() => {
      this.#local = new Map(pods.map((pod) => [pod.metadata.uid ?? '', pod]));
      this.#localWhole = whole;
      for (const [uid, worker] of this.#workers) {
        if (worker.pod && isStatic(worker.pod) && !worker.removed && !this.#local.has(uid)) worker.remove();
      }
      for (const [uid, pod] of this.#local) if (!this.#workers.has(uid)) this.#addLocal(uid, pod);
      this.#deps.onMirrors();
      // Whose file went while the agent was away.
      this.#relistSoon ??= setTimeout(() => void this.#relist(), RELIST_SOON_MS);
    });
  }

  /** Static pods, and what the API has of them. */
  mirrorScene(): MirrorScene {
    const pods = [...this.#workers.values()].flatMap(({ pod, removed }) => (pod && isStatic(pod) ? [{ pod, removed }] : []));
    return { pods, mirrors: [...this.#mirrors.values()], whole: this.#localWhole === true };
  }

  /** A mirror as the API has it now. */
  mirrorChanged(mirror: Pod): void {
    this.#afterList(() => this.#acceptMirror(mirror));
  }

  /** Lets a pod go that the hold annotation keeps back. */
  release(namespace: string, name: string): void {
    this.#afterList(() => this.#byName(namespace, name)?.release());
  }

  /**
   * A pod was taken away. The cloud sends the last state of the object, or no more than its metadata.
   * @param namespace, name from the resource, for the case that even the metadata are incomplete
   */
  podDeleted(pod: unknown, namespace: string, name: string): void {
    this.#afterList(() => {
      const uid = (pod as Partial<Pod> | null)?.metadata?.uid;
      const mirror = this.#mirrors.get(`${namespace}/${name}`);
      if (mirror && (!uid || mirror.metadata.uid === uid)) return this.#forgetMirror(mirror);
      const worker = uid ? this.#workers.get(uid) : this.#byName(namespace, name);
      if (!worker || (worker.pod && isStatic(worker.pod))) return;
      if (isPod(pod)) worker.update(fromApi(pod));
      worker.remove();
    });
  }

  /** True when all pods of the node are known: their list has come, and every stored one and every file could be read. */
  get complete(): boolean {
    return this.#early === undefined && this.#mayHaveOrphans && this.#localWhole === true;
  }

  /** When the runtime was last listed, by `steadyNow`. */
  get listedAt(): number {
    return this.#listedAt;
  }

  /** What could not be done because of the runtime is tried again at once. */
  runtimeReady(): void {
    for (const worker of this.#workers.values()) worker.wake();
  }

  list(): readonly PodRecord[] {
    return [...this.#workers.values()].flatMap((worker) => this.#record(worker) ?? []);
  }

  find(namespace: string, name: string): PodRecord | undefined {
    const worker = this.#byName(namespace, name);
    return worker && this.#record(worker);
  }

  byUid(uid: string): PodRecord | undefined {
    const worker = this.#workers.get(uid);
    return worker && this.#record(worker);
  }

  async observe(uid: string, signal: AbortSignal): Promise<ActualPod> {
    return (await this.#view.observe(uid, signal)).actual;
  }

  /** For metrics. */
  probeCounts(): ProbeCount[] {
    return this.#probes.counts();
  }

  fail(uid: string, verdict: PodVerdict): void {
    this.#workers.get(uid)?.fail(verdict);
  }

  wake(uid: string): void {
    this.#workers.get(uid)?.wake();
  }

  #record({ pod, removed, terminating }: PodWorker): PodRecord | undefined {
    return pod && { pod, status: this.#statuses.previous(pod.metadata.uid ?? ''), terminating, removed };
  }

  /** A ConfigMap or Secret has changed: mounted files follow, and containers that wait for it try again. */
  objectChanged(namespace: string, changed: ObjectReference): void {
    const key = objectKey(changed);
    for (const worker of this.#workers.values()) {
      const { pod } = worker;
      if (!pod || worker.removed || pod.metadata.namespace !== namespace) continue;
      if (!podReferences(pod).some((reference) => objectKey(reference) === key)) continue;
      if ((pod.spec.volumes ?? []).some((volume) => volumeReferences(volume).some((reference) => objectKey(reference) === key))) {
        this.#refresh.refresh(pod, this.#signal);
      }
      worker.wake();
    }
  }

  /** The cloud answered a status patch. */
  patchAnswered(message: Message): void {
    this.#afterList(() => {
      this.#orphans.answered(message);
      this.#statuses.answered(message);
    });
  }

  /** The node has other addresses: statuses name them. */
  nodeChanged(): void {
    for (const worker of this.#workers.values()) worker.stir();
  }

  /** A new session with the cloud: what differs is said again. */
  sessionBegan(): void {
    this.#statuses.sweep();
    this.#refreshAll();
  }

  /** The cloud has heard nothing for so long that it may have declared the pods not ready. */
  wasAway(): void {
    this.#afterList(() => this.#statuses.restate());
  }

  async #loadList(): Promise<void> {
    const { meta, nodeName, namespace, log } = this.#deps;
    const resource = formatResource({ namespace, type: ResourceTypes.pod });
    for (let attempt = 0; ; attempt += 1) {
      try {
        const { pods, unreadable } = readPodList(await meta.rows(resource, this.#signal), nodeName);
        this.#mayHaveOrphans = unreadable === 0;
        this.#orphans.storeHeld(pods.length);
        this.#lastWords = await this.#readLastWords();
        if (unreadable > 0) log.error('stored pods cannot be read, so containers of unknown pods are left alone', { rows: unreadable });
        for (const pod of pods) {
          this.#accept(pod);
          // The agent may have ended between the acknowledgement of a change and the writing of the files.
          if (pod.status?.phase === 'Running') this.#refresh.refresh(pod, this.#signal);
        }
        break;
      } catch (error) {
        if (isAbort(error)) throw error;
        if (attempt % 10 === 0) log.warn('pod list not available yet, no pod is touched', { err: errorText(error) });
        await sleep(backoffDelay(LIST_RETRY, attempt, Math.random()), this.#signal);
      }
    }
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const later of early) later();
  }

  /** They only make statuses more exact, so without them things go on. */
  async #readLastWords(): Promise<ReadonlyMap<string, object>> {
    const { meta, namespace, log } = this.#deps;
    try {
      return readLastWords(await meta.rows(formatResource({ namespace, type: ResourceTypes.podPatch }), this.#signal));
    } catch (error) {
      if (isAbort(error)) throw error;
      log.verbose(1, 'what was said last about pods cannot be read', { err: errorText(error) });
      return new Map();
    }
  }

  #afterList(action: () => void): void {
    if (this.#early) this.#early.push(action);
    else action();
  }

  /** @param create false for answers, which must not bring back a pod that was taken away meanwhile */
  #accept(given: Pod, create = this.#early !== undefined): void {
    if (isMirror(given)) return this.#acceptMirror(given);
    const pod = fromApi(given);
    const uid = pod.metadata.uid ?? '';
    const worker = this.#workers.get(uid);
    if (worker?.newest) {
      if (isOlder(pod.metadata, worker.newest.metadata)) return;
      const { labels, annotations } = worker.newest.metadata;
      this.#statuses.known(pod);
      worker.update(pod);
      // Files of the downward API show them.
      if (!isDeepStrictEqual([labels, annotations], [pod.metadata.labels, pod.metadata.annotations])) this.#refresh.refresh(pod, this.#signal);
      return;
    }
    if (!worker && !create) return;
    // A new pod under a known name: the API can only have it when the old one is gone there.
    const { namespace = '', name = '' } = pod.metadata;
    const earlier = this.#byName(namespace, name);
    if (earlier?.pod && !isStatic(earlier.pod)) earlier.remove();
    this.#know(pod, uid);
    this.#add(uid, pod);
  }

  /** @param uid that the pod has on this node */
  #know(pod: Pod, uid: string): void {
    this.#statuses.known(pod, uid);
    const said = this.#lastWords.get(pod.metadata.uid ?? '');
    if (said) this.#statuses.recall(uid, strategicMerge(pod, said).status ?? {});
  }

  #acceptMirror(mirror: Pod): void {
    const known = this.#mirrors.get(fullName(mirror));
    if (known && isOlder(mirror.metadata, known.metadata)) return;
    this.#mirrors.set(fullName(mirror), mirror);
    for (const [uid, { pod }] of this.#workers) if (pod && isStatic(pod) && isMirrorOf(mirror, pod)) this.#know(mirror, uid);
    this.#deps.onMirrors();
  }

  #forgetMirror(mirror: Pod): void {
    this.#mirrors.delete(fullName(mirror));
    for (const [uid, { pod }] of this.#workers) if (pod && isStatic(pod) && isMirrorOf(mirror, pod)) this.#statuses.unknown(uid, pod);
    this.#deps.onMirrors();
  }

  #addLocal(uid: string, pod: Pod): void {
    this.#statuses.unknown(uid, pod);
    const mirror = this.#mirrors.get(fullName(pod));
    if (mirror && isMirrorOf(mirror, pod)) this.#know(mirror, uid);
    this.#add(uid, pod);
  }

  #byName(namespace: string, name: string): PodWorker | undefined {
    for (const worker of this.#workers.values()) {
      if (!worker.removed && worker.pod?.metadata.name === name && worker.pod.metadata.namespace === namespace) return worker;
    }
    return undefined;
  }

  #add(uid: string, pod: Pod | undefined, identity?: { namespace: string; name: string }): void {
    const { namespace = '', name = '' } = pod?.metadata ?? identity ?? {};
    const worker = new PodWorker(
      {
        ...this.#deps,
        uid,
        view: this.#view,
        statuses: this.#statuses,
        probes: this.#probes,
        places: this.#places,
        garbage: () => this.#garbage,
        hold: this.#hold,
        mustWait: (candidate) => this.#nameIsHeld(uid, candidate),
        onGone: () => this.#gone(uid, { namespace, name }),
        signal: this.#signal,
      },
      pod,
    );
    this.#workers.set(uid, worker);
    worker.wake();
  }

  /** What the runtime has of a pod that nobody wants. */
  #end(pod: ListedPod): void {
    if (this.#workers.has(pod.uid)) return;
    this.#deps.log.info('pod in the runtime is not assigned to this node and is ended', { pod: `${pod.namespace}/${pod.name}`, uid: pod.uid });
    this.#add(pod.uid, undefined, pod);
  }

  #nameIsHeld(uid: string, { metadata }: Pod): boolean {
    for (const [other, { pod, removed }] of this.#workers) {
      if (other !== uid && removed && pod?.metadata.name === metadata.name && pod?.metadata.namespace === metadata.namespace) return true;
    }
    return false;
  }

  async #gone(uid: string, identity: { namespace: string; name: string }): Promise<void> {
    await this.#deps.isolation?.release(uid, this.#signal);
    await this.#deps.volumes.remove(uid, this.#signal);
    const { namespace, name } = identity;
    this.#workers.delete(uid);
    this.#statuses.forget(uid);
    this.#probes.forget(uid);
    this.#deps.images.forget(uid);
    const again = this.#local.get(uid);
    if (again) this.#addLocal(uid, again);
    this.#deps.onMirrors();
    for (const worker of this.#workers.values()) {
      if (worker.pod?.metadata.name === name && worker.pod.metadata.namespace === namespace) worker.wake();
    }
  }

  #noticed(event: RuntimeEvent): void {
    // Nobody else begins anything here, and a worker looks after what it has begun.
    if (event.type === 'created' || event.type === 'started') return;
    // Mostly the worker has ended it itself.
    if (event.type === 'stopped' && this.#view.hasSeenEnd(event.containerId)) return;
    const uid = this.#view.ownerOf(event.sandboxId);
    const worker = uid === undefined ? undefined : this.#workers.get(uid);
    if (worker) worker.stir();
    // Its sandbox is newer than the last listing.
    else this.#relistSoon ??= setTimeout(() => void this.#relist(), RELIST_SOON_MS);
  }

  async #relistNowAndThen(): Promise<void> {
    while (!this.#signal.aborted) {
      await this.#relist();
      this.#statuses.sweep();
      await sleep(this.#runtimeAnswers ? this.#deps.relistMs : Math.min(this.#deps.relistMs, OUTAGE_RELIST_MS), this.#signal);
    }
  }

  async #relist(): Promise<void> {
    clearTimeout(this.#relistSoon);
    this.#relistSoon = undefined;
    try {
      const listed = await this.#view.list(this.#signal);
      this.#listedAt = steadyNow();
      this.#answers(true);
      const { garbage, maxDead } = this.#deps;
      this.#garbage = shareOfDead(garbage, maxDead, [...listed.values()].map(({ containers }) => containers));
      for (const [uid, worker] of this.#workers) worker.noticed(fingerprint(listed.get(uid)));
      for (const pod of listed.values()) {
        if (this.#workers.has(pod.uid) || !this.#mayHaveOrphans) continue;
        const fromFile = pod.sandboxes.some(({ annotations }) => annotations[SourceAnnotations.source] === 'file');
        if (!fromFile) this.#orphans.found(pod);
        else if (this.#localWhole === true) this.#end(pod);
      }
    } catch (error) {
      if (isAbort(error)) return;
      if (this.#runtimeAnswers) this.#deps.log.warn('the container runtime cannot be listed', { err: errorText(error) });
      this.#answers(false);
    }
  }

  /** After an outage of the runtime nobody waits for the end of a pause. */
  #answers(answers: boolean): void {
    if (this.#runtimeAnswers === answers) return;
    this.#runtimeAnswers = answers;
    if (answers) this.#deps.log.info('the container runtime answers again');
    this.#deps.onRuntime(answers);
    if (answers) this.runtimeReady();
  }

  async #tidyNowAndThen(): Promise<void> {
    while (!this.#signal.aborted) {
      await sleep(SWEEP_MS, this.#signal);
      await this.#sweepLeftovers();
      this.#refreshAll();
    }
  }

  #refreshAll(): void {
    for (const { pod, removed } of this.#workers.values()) {
      if (pod && !removed) this.#refresh.refresh(pod, this.#signal);
    }
  }

  async #sweepLeftovers(): Promise<void> {
    if (!this.complete) return;
    try {
      const listed = await this.#view.list(this.#signal);
      const isKnown = (uid: string): boolean => this.#workers.has(uid) || listed.has(uid);
      await this.#deps.leftovers.sweep(isKnown, this.#signal);
      await this.#deps.links.sweep();
      await this.#deps.isolation?.sweep(isKnown, this.#signal);
    } catch (error) {
      if (!isAbort(error)) this.#deps.log.warn('what pods have left behind cannot be looked through', { err: errorText(error) });
    }
  }
}
