import { setMaxListeners } from 'node:events';
import { isDeepStrictEqual } from 'node:util';
import { isAbort } from '@edge/core';
import { strategicMerge, type Message, type Pod } from '@edge/protocol';
import { Semaphore } from '../apply/semaphore.js';
import { HoldUpgrade } from '../hold/hold-upgrade.js';
import type { ObjectReference } from '../plan/references.js';
import { isMirror, isStatic, SourceAnnotations } from '../policy/standing.js';
import { Probes, type ProbeCount } from '../probes/probes.js';
import type { MirrorScene } from '../static-pods/plan-mirrors.js';
import { StaticPods } from '../static-pods/static-pods.js';
import { VolumeRefresh } from '../volumes/volume-refresh.js';
import { loadPods, type LoadPodsInput } from './load-pods.js';
import { PodDirectory, type PodDirectoryDeps } from './pod-directory.js';
import { Orphans } from './orphans.js';
import { fromApi, isPod } from './pod-list.js';
import { PodStatuses } from './pod-statuses.js';
import { isOlder } from './resource-version.js';
import { RuntimeView, type ListedPod } from './runtime-view.js';
import { RuntimeWatch, type RuntimeWatchDeps } from './runtime-watch.js';
import { Upkeep, type UpkeepDeps } from './upkeep.js';

/** Sandboxes and containers made at once: enough to use the machine, few enough that a boot with many pods stays responsive. */
const PLACES = 16;

type WorkDeps = Omit<PodDirectoryDeps, 'view' | 'statuses' | 'probes' | 'places' | 'hold' | 'garbage' | 'onGone' | 'signal'>;

export interface PodManagerDeps extends WorkDeps, Pick<RuntimeWatchDeps, 'garbage' | 'maxDead' | 'relistMs' | 'onRuntime'>, Pick<UpkeepDeps, 'leftovers'>, LoadPodsInput {
  /** True while the link to the cloud is up. */
  readonly connected: () => boolean;
  /** Static pods or their mirrors have changed. */
  readonly onMirrors: () => void;
}

/** Which pods the node has: from the store, from messages and from files. What is said before the list has come waits for it. */
export class PodManager {
  /** The pods as they are known here. */
  readonly pods: PodDirectory;
  readonly #deps: PodManagerDeps;
  readonly #statuses: PodStatuses;
  readonly #orphans: Orphans;
  readonly #probes: Probes;
  readonly #refresh: VolumeRefresh;
  readonly #static: StaticPods;
  readonly #watch: RuntimeWatch;
  readonly #upkeep: Upkeep;
  readonly #end = new AbortController();
  #lastWords: ReadonlyMap<string, object> = new Map();
  /** What came before the list; undefined afterwards. */
  #early: (() => void)[] | undefined = [];
  /** The list has come and each of its rows could be read. */
  #allRead = false;

  constructor(deps: PodManagerDeps) {
    const { signal } = this.#end;
    setMaxListeners(0, signal);
    this.#deps = deps;
    const { runtime, messages, reach, hostIPs, events, volumes, meta, connected, onMirrors, log } = deps;
    const view = new RuntimeView({ runtime, messages });
    this.#probes = new Probes({
      runtime,
      reach,
      hostIPs,
      say: (pod, event) => events.say(pod, event),
      onChange: (uid) => this.pods.workers.get(uid)?.probed(),
    });
    this.#orphans = new Orphans({ ...deps, onPod: (pod) => this.#accept(pod, 'new too'), onOrphan: (pod) => this.#endUnknown(pod) });
    this.#statuses = new PodStatuses({ meta, connected, onPod: (pod) => this.#accept(pod, 'known only'), log });
    this.#refresh = new VolumeRefresh({
      volumes,
      facts: (pod) => deps.facts((this.#statuses.previous(pod.metadata.uid ?? '').podIPs ?? []).map(({ ip }) => ip)),
      log,
    });
    this.pods = new PodDirectory({
      ...deps,
      view,
      statuses: this.#statuses,
      probes: this.#probes,
      places: new Semaphore(PLACES),
      hold: new HoldUpgrade(),
      garbage: () => this.#watch.garbage,
      onGone: (uid) => this.#static.gone(uid),
      signal,
    });
    this.#static = new StaticPods({ pods: this.pods, statuses: this.#statuses, know: (mirror, uid) => this.#know(mirror, uid), onChange: onMirrors });
    this.#watch = new RuntimeWatch({
      ...deps,
      view,
      pods: this.pods,
      onUnknown: (pod) => this.#found(pod),
      onListed: () => this.#statuses.sweep(),
      signal,
    });
    this.#upkeep = new Upkeep({ ...deps, pods: this.pods, view, refresh: this.#refresh, complete: () => this.complete, signal });
  }

  /** Runs until the signal aborts, once. Pods stay as they are then: they outlive the agent. */
  async run(signal: AbortSignal): Promise<void> {
    const end = (): void => this.#end.abort(signal.reason);
    if (signal.aborted) end();
    signal.addEventListener('abort', end, { once: true });
    try {
      await this.#load();
      await Promise.all([this.#watch.run(), this.#upkeep.run()]);
    } catch (error) {
      if (!isAbort(error)) throw error;
    } finally {
      signal.removeEventListener('abort', end);
      this.#end.abort();
      this.#probes[Symbol.dispose]();
      await this.pods.settled();
    }
  }

  /** True when all pods of the node are known: their list has come, and every stored one and every file could be read. */
  get complete(): boolean {
    return this.#early === undefined && this.#allRead && this.#static.whole;
  }

  /** When the runtime was last listed, by `steadyNow`. */
  get listedAt(): number {
    return this.#watch.listedAt;
  }

  /** A pod was pushed, new or changed. */
  podChanged(pod: Pod): void {
    if (pod.spec.nodeName !== this.#deps.nodeName) return;
    this.#afterList(() => this.#accept(pod, 'new too'));
  }

  /**
   * A pod was taken away. The cloud sends the last state of the object, or no more than its metadata.
   * @param namespace, name from the resource, for the case that even the metadata are incomplete
   */
  podDeleted(pod: unknown, namespace: string, name: string): void {
    this.#afterList(() => {
      const uid = (pod as Partial<Pod> | null)?.metadata?.uid;
      if (this.#static.mirrorDeleted(namespace, name, uid)) return;
      const worker = uid ? this.pods.workers.get(uid) : this.pods.named(namespace, name);
      if (!worker || (worker.pod && isStatic(worker.pod))) return;
      if (isPod(pod)) worker.update(fromApi(pod));
      worker.remove();
    });
  }

  /** Lets a pod go that the hold annotation keeps back. */
  release(namespace: string, name: string): void {
    this.#afterList(() => this.pods.named(namespace, name)?.release());
  }

  /**
   * All pods that files of this node define; they run without the cloud. What is not among them any more ends.
   * @param whole false when some files could not be read: nothing of unknown static pods is ended then
   */
  setLocal(pods: readonly Pod[], whole: boolean): void {
    this.#afterList(() => {
      this.#static.set(pods, whole);
      // Whose file went while the agent was away.
      this.#watch.lookSoon();
    });
  }

  /** Static pods, and what the API has of them. */
  mirrorScene(): MirrorScene {
    return this.#static.scene();
  }

  /** A mirror as the API has it now. */
  mirrorChanged(mirror: Pod): void {
    this.#afterList(() => this.#static.mirrorChanged(mirror));
  }

  /** A ConfigMap or Secret has changed. */
  objectChanged(namespace: string, changed: ObjectReference): void {
    this.#upkeep.objectChanged(namespace, changed);
  }

  /** The cloud answered a status patch. */
  patchAnswered(message: Message): void {
    this.#afterList(() => {
      this.#orphans.answered(message);
      this.#statuses.answered(message);
    });
  }

  /** What could not be done because of the runtime is tried again at once. */
  runtimeReady(): void {
    this.pods.wakeAll();
  }

  /** The node has other addresses: statuses name them. */
  nodeChanged(): void {
    for (const worker of this.pods.workers.values()) worker.stir();
  }

  /** A new session with the cloud: what differs is said again. */
  sessionBegan(): void {
    this.#statuses.sweep();
    this.#upkeep.refreshAll();
  }

  /** The cloud has heard nothing for so long that it may have declared the pods not ready. */
  wasAway(): void {
    this.#afterList(() => this.#statuses.restate());
  }

  /** For metrics. */
  probeCounts(): ProbeCount[] {
    return this.#probes.counts();
  }

  async #load(): Promise<void> {
    const { signal } = this.#end;
    const { pods, unreadable, lastWords } = await loadPods(this.#deps, signal);
    this.#allRead = unreadable === 0;
    this.#orphans.storeHeld(pods.length);
    this.#lastWords = lastWords;
    for (const pod of pods) {
      this.#accept(pod, 'new too');
      // The agent may have ended between the acknowledgement of a change and the writing of the files.
      if (pod.status?.phase === 'Running') this.#refresh.refresh(pod, signal);
    }
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const later of early) later();
  }

  #afterList(action: () => void): void {
    if (this.#early) this.#early.push(action);
    else action();
  }

  /** @param which answers must not bring back a pod that was taken away meanwhile */
  #accept(given: Pod, which: 'new too' | 'known only'): void {
    if (isMirror(given)) return this.#static.mirrorChanged(given);
    const pod = fromApi(given);
    const uid = pod.metadata.uid ?? '';
    const worker = this.pods.workers.get(uid);
    if (worker?.newest) {
      if (isOlder(pod.metadata, worker.newest.metadata)) return;
      const { labels, annotations } = worker.newest.metadata;
      this.#statuses.known(pod);
      worker.update(pod);
      // Files of the downward API show them.
      if (!isDeepStrictEqual([labels, annotations], [pod.metadata.labels, pod.metadata.annotations])) this.#refresh.refresh(pod, this.#end.signal);
      return;
    }
    if (!worker && which === 'known only') return;
    // A new pod under a known name: the API can only have it when the old one is gone there.
    const { namespace = '', name = '' } = pod.metadata;
    const earlier = this.pods.named(namespace, name);
    if (earlier?.pod && !isStatic(earlier.pod)) earlier.remove();
    this.#know(pod, uid);
    this.pods.add(uid, pod);
  }

  /** @param uid that the pod has on this node */
  #know(pod: Pod, uid: string): void {
    this.#statuses.known(pod, uid);
    const said = this.#lastWords.get(pod.metadata.uid ?? '');
    if (said) this.#statuses.recall(uid, strategicMerge(pod, said).status ?? {});
  }

  /** What nobody here knows is judged only when all have been heard who may know it. */
  #found(pod: ListedPod): void {
    if (!this.#allRead) return;
    const isFromFile = pod.sandboxes.some(({ annotations }) => annotations[SourceAnnotations.source] === 'file');
    if (!isFromFile) this.#orphans.found(pod);
    else if (this.#static.whole) this.#endUnknown(pod);
  }

  /** What the runtime has of a pod that nobody wants. */
  #endUnknown(pod: ListedPod): void {
    if (this.pods.workers.has(pod.uid)) return;
    this.#deps.log.info('pod in the runtime is not assigned to this node and is ended', { pod: `${pod.namespace}/${pod.name}`, uid: pod.uid });
    this.pods.add(pod.uid, undefined, pod);
  }
}
