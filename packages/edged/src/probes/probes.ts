import { setMaxListeners } from 'node:events';
import { isAbort, type RuntimeContainerStatus } from '@edge/core';
import type { ContainerStatus, Pod } from '@edge/protocol';
import { runsOf, type ActualPod } from '../plan/actual.js';
import type { PodEvent } from '../plan/event.js';
import { containerName } from '../plan/identity.js';
import { probedContainers, type ProbedContainer } from './probed.js';
import { runProbe, type ProbeOutcome, type ProberDeps } from './prober.js';
import { freshState, withResult, type ProbeKind, type ProbeState } from './result.js';
import { Schedule } from './schedule.js';
import { firstProbeIn, periodMs } from './timing.js';
import { noProbes, type ProbeFailure, type ProbeView } from './view.js';

export interface ProbesDeps extends ProberDeps {
  /** Something that the pod's status or plan follows from has changed. */
  readonly onChange: (uid: string) => void;
  readonly say: (pod: Pod, event: PodEvent) => void;
  /** Addresses of the node, the preferred one first: those of pods in its network. */
  readonly hostIPs: () => readonly string[];
}

/** One probe of one container. */
interface Watch {
  readonly pod: WatchedPod;
  readonly kind: ProbeKind;
  spec: ProbedContainer;
  probe: ProbedContainer['probes'][number][1];
  state: ProbeState | undefined;
  /** The run named in the state works. */
  running: boolean;
  startedAt: number;
  /** A probe is on its way. */
  busy: boolean;
  readonly counts: { success: number; failure: number; error: number };
}

interface WatchedPod {
  readonly uid: string;
  pod: Pod;
  address: string | undefined;
  terminating: boolean;
  readonly watches: Map<string, Watch>;
}

/** How often a probe had which result, for metrics. */
export interface ProbeCount {
  readonly pod: Pod;
  readonly container: string;
  readonly kind: ProbeKind;
  readonly success: number;
  readonly failure: number;
  /** It could not be made. */
  readonly error: number;
}

/**
 * The probes of all pods. Told what the runtime has after each look at a pod; asked what the probes say. Between two
 * probes a container costs nothing but an entry in a table.
 */
export class Probes implements Disposable {
  readonly #deps: ProbesDeps;
  readonly #pods = new Map<string, WatchedPod>();
  readonly #schedule = new Schedule<Watch>((watch, due) => void this.#probe(watch, due));
  readonly #end = new AbortController();
  readonly #began = Date.now();
  readonly #beganTicks = performance.now();

  constructor(deps: ProbesDeps) {
    this.#deps = deps;
    setMaxListeners(0, this.#end.signal);
  }

  /** Nothing is probed any more. */
  [Symbol.dispose](): void {
    this.#end.abort();
    this.#schedule[Symbol.dispose]();
    this.#pods.clear();
  }

  /**
   * Begins, goes on and ends with probing as the pod's containers come and go.
   * @param pod with the status reported last: a run that was ready or started there stays so until a probe says otherwise
   * @param terminating the pod has to end: whether it lives is no longer asked, whether it is ready is
   */
  sync(pod: Pod, actual: ActualPod, terminating: boolean): void {
    const probed = probedContainers(pod);
    if (probed.length === 0 || this.#end.signal.aborted) return this.forget(actual.uid);
    const entry: WatchedPod = this.#pods.get(actual.uid) ?? { uid: actual.uid, pod, address: undefined, terminating, watches: new Map() };
    this.#pods.set(actual.uid, entry);
    entry.pod = pod;
    entry.terminating = terminating;
    entry.address = pod.spec.hostNetwork === true ? this.#deps.hostIPs()[0] : actual.sandboxes[0]?.ips[0];
    const wanted = new Set<string>();
    for (const spec of probed) {
      const newest = runsOf(actual, spec.container.name)[0];
      for (const [kind, probe] of spec.probes) {
        const key = `${spec.container.name} ${kind}`;
        wanted.add(key);
        const watch: Watch = entry.watches.get(key) ?? blankWatch(entry, kind, spec, probe);
        entry.watches.set(key, watch);
        Object.assign(watch, { spec, probe });
        this.#follow(watch, newest);
      }
    }
    for (const [key, watch] of entry.watches) if (!wanted.has(key)) this.#drop(entry, key, watch);
    for (const watch of entry.watches.values()) this.#arm(watch);
  }

  /** The pod has gone. */
  forget(uid: string): void {
    const entry = this.#pods.get(uid);
    this.#pods.delete(uid);
    for (const [key, watch] of entry?.watches ?? []) this.#drop(entry as WatchedPod, key, watch);
  }

  view(uid: string): ProbeView {
    const entry = this.#pods.get(uid);
    if (!entry) return noProbes;
    const watchOf = (container: RuntimeContainerStatus, kind: ProbeKind): Watch | undefined => entry.watches.get(`${containerName(container)} ${kind}`);
    const says = (container: RuntimeContainerStatus, kind: ProbeKind): ProbeState['verdict'] => {
      const watch = watchOf(container, kind);
      if (!watch) return 'success';
      return watch.state?.containerId === container.id ? watch.state.verdict : 'unknown';
    };
    const started = (container: RuntimeContainerStatus): boolean => container.state === 'running' && says(container, 'startup') === 'success';
    return {
      started,
      ready: (container) => started(container) && says(container, 'readiness') === 'success',
      failed: (container) => {
        const kind = (['liveness', 'startup'] as const).find((one) => says(container, one) === 'failure');
        return kind && failureOf(kind, watchOf(container, kind));
      },
    };
  }

  counts(): ProbeCount[] {
    return [...this.#pods.values()].flatMap(({ pod, watches }) =>
      [...watches.values()].map(({ kind, spec, counts }) => ({ pod, container: spec.container.name, kind, ...counts })),
    );
  }

  #drop(entry: WatchedPod, key: string, watch: Watch): void {
    entry.watches.delete(key);
    watch.running = false;
    this.#schedule.delete(watch);
  }

  #follow(watch: Watch, newest: RuntimeContainerStatus | undefined): void {
    watch.running = newest?.state === 'running';
    if (!watch.running || !newest) {
      this.#schedule.delete(watch);
      return;
    }
    if (watch.state?.containerId === newest.id) return;
    this.#schedule.delete(watch);
    watch.startedAt = newest.startedAt || newest.createdAt;
    watch.state = freshState(watch.kind, newest.id, this.#wasReported(watch, newest.id));
  }

  #wasReported({ pod, kind, spec }: Watch, id: string): boolean {
    const { initContainerStatuses = [], containerStatuses = [] } = pod.pod.status ?? {};
    const reported: ContainerStatus | undefined = (spec.init ? initContainerStatuses : containerStatuses).find(({ name }) => name === spec.container.name);
    if (!reported?.containerID?.endsWith(`://${id}`)) return false;
    return kind === 'readiness' ? reported.ready : kind === 'startup' && reported.started === true;
  }

  /** Sees to it that the next probe comes, if there is to be one. */
  #arm(watch: Watch): void {
    if (!this.#isDue(watch)) return this.#schedule.delete(watch);
    if (watch.busy || this.#schedule.has(watch)) return;
    const { kind, probe, startedAt } = watch;
    const now = Date.now();
    const recently = performance.now() - this.#beganTicks < periodMs(probe);
    const found = recently && startedAt < this.#began;
    const delay = firstProbeIn({ kind, probe, age: now - startedAt, found, random: Math.random() });
    this.#schedule.set(watch, performance.now() + delay);
  }

  #isDue({ kind, pod, running, state }: Watch): boolean {
    if (!running || !state || state.done) return false;
    if (pod.terminating && kind !== 'readiness') return false;
    return kind === 'startup' || this.#hasStarted(pod, state.containerId);
  }

  #hasStarted({ watches }: WatchedPod, containerId: string): boolean {
    for (const { kind, state } of watches.values()) if (kind === 'startup' && state?.containerId === containerId && state.verdict !== 'success') return false;
    return true;
  }

  async #probe(watch: Watch, due: number): Promise<void> {
    const { state, spec, probe, pod } = watch;
    if (!state || !this.#isDue(watch)) return;
    watch.busy = true;
    try {
      const target = { probe, container: spec.container, containerId: state.containerId, address: pod.address };
      const outcome = await runProbe(this.#deps, target, this.#end.signal);
      // Of a run that has ended meanwhile nothing is to be learnt.
      if (watch.state === state && this.#isDue(watch)) this.#learn(watch, state, outcome);
    } catch (error) {
      if (!isAbort(error)) throw error;
    } finally {
      watch.busy = false;
      if (!this.#end.signal.aborted && this.#isDue(watch)) {
        // Another run has begun meanwhile, or the row goes on from when this probe was due.
        if (watch.state?.containerId !== state.containerId) this.#arm(watch);
        else this.#schedule.set(watch, Math.max(performance.now(), due + periodMs(probe)));
      }
    }
  }

  #learn(watch: Watch, before: ProbeState, outcome: ProbeOutcome): void {
    const { pod, kind, spec, probe, counts } = watch;
    this.#tell(watch, outcome);
    if (outcome.result === 'error') {
      counts.error += 1;
      return;
    }
    const result = outcome.result === 'failure' ? 'failure' : 'success';
    counts[result] += 1;
    watch.state = withResult(kind, probe, before, result);
    if (watch.state.verdict === before.verdict) return;
    if (kind === 'startup') for (const other of pod.watches.values()) if (other.spec.container.name === spec.container.name) this.#arm(other);
    this.#deps.onChange(pod.uid);
  }

  #tell({ pod, kind, spec }: Watch, { result, text }: ProbeOutcome): void {
    if (result === 'success') return;
    const what = result === 'failure' ? 'failed' : result === 'error' ? 'errored' : 'warning';
    const fieldPath = `spec.${spec.init ? 'initContainers' : 'containers'}{${spec.container.name}}`;
    const reason = result === 'warning' ? 'ProbeWarning' : 'Unhealthy';
    this.#deps.say(pod.pod, { type: 'Warning', reason, message: `${NAMES[kind]} probe ${what}: ${text}`, fieldPath });
  }
}

const NAMES: Readonly<Record<ProbeKind, string>> = { startup: 'Startup', readiness: 'Readiness', liveness: 'Liveness' };

function blankWatch(pod: WatchedPod, kind: ProbeKind, spec: ProbedContainer, probe: Watch['probe']): Watch {
  return { pod, kind, spec, probe, state: undefined, running: false, startedAt: 0, busy: false, counts: { success: 0, failure: 0, error: 0 } };
}

function failureOf(kind: ProbeKind, watch: Watch | undefined): ProbeFailure {
  const { terminationGracePeriodSeconds: graceSeconds } = watch?.probe ?? {};
  return { why: `failed ${kind} probe`, ...(graceSeconds === undefined ? {} : { graceSeconds }) };
}
