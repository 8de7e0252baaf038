import { errorText, type Logger } from '@edge/core';
import type { Pod } from '@edge/protocol';
import { isTerminalPhase } from '../plan/containers.js';
import type { PodVerdict } from '../plan/verdict.js';
import type { PodControl, PodRecord, PodsView } from '../pods/pods-view.js';
import { admitPod, type NodeView, type Rejection } from './admit-pod.js';
import { planPreemption } from './preempt.js';
import type { Pressure } from './pressure.js';
import { isCritical } from './standing.js';

/** `wait`: room is being made for the pod, ask again soon. */
export type AdmissionAnswer = 'admitted' | 'wait' | PodVerdict;

/** A further reason to turn a pod away that depends on the pod alone. */
export type AdmissionCheck = (pod: Pod) => Rejection | undefined;

export interface AdmissionDeps {
  readonly pods: Pick<PodsView, 'list' | 'byUid'>;
  readonly control: Pick<PodControl, 'fail'>;
  readonly node: () => NodeView;
  readonly pressure: () => ReadonlySet<Pressure>;
  readonly checks: readonly AdmissionCheck[];
  readonly log: Logger;
}

/** What pods are told that had to make room. */
const PREEMPTED = 'The pod had to make room for a critical pod';

/** Decides for each pod once, before anything of it is started, whether it may run on this node. */
export class Admission {
  readonly #deps: AdmissionDeps;
  readonly #admitted = new Set<string>();
  /** Pods that end so that a critical one finds room, by the uid of the latter. */
  readonly #victims = new Map<string, readonly string[]>();

  constructor(deps: AdmissionDeps) {
    this.#deps = deps;
  }

  /**
   * @param begun the runtime has something of the pod, or its status says that it was begun: it was admitted then, and
   *   a restart of the agent changes nothing about that
   */
  admit(pod: Pod, begun: boolean): AdmissionAnswer {
    const uid = pod.metadata.uid ?? '';
    const victims = this.#victims.get(uid) ?? [];
    if (!begun && victims.some((victim) => !this.#hasEnded(victim))) return 'wait';
    this.#victims.delete(uid);
    if (!begun && !this.#admitted.has(uid)) {
      const rejection = this.#judge(pod, uid);
      if (rejection === 'wait') return 'wait';
      if (rejection) return { reason: rejection.reason, message: `Pod was rejected: ${rejection.message}` };
    }
    this.#admitted.add(uid);
    return 'admitted';
  }

  /** The pod is gone; its room is free. */
  forget(uid: string): void {
    this.#admitted.delete(uid);
    this.#victims.delete(uid);
  }

  #judge(pod: Pod, uid: string): Rejection | 'wait' | undefined {
    const { node, pressure, checks } = this.#deps;
    try {
      for (const check of checks) {
        const found = check(pod);
        if (found) return found;
      }
      const others = this.#others(uid);
      const rejection = admitPod({ pod, node: node(), others, pressure: pressure() });
      if (rejection?.shortOf === undefined || !isCritical(pod)) return rejection;
      return this.#makeRoom(pod, uid, others, rejection);
    } catch (error) {
      // A quantity that makes no sense: better said in the pod's status than tried for ever.
      return { reason: 'UnexpectedAdmissionError', message: errorText(error) };
    }
  }

  #makeRoom(pod: Pod, uid: string, others: readonly Pod[], rejection: Rejection): Rejection | 'wait' {
    const chosen = planPreemption(pod, others, rejection.shortOf ?? new Map());
    if (chosen === undefined || chosen.length === 0) return rejection;
    const victims = chosen.map(({ metadata }) => metadata.uid ?? '');
    this.#deps.log.warn('pods make room for a critical pod', {
      pod: `${pod.metadata.namespace}/${pod.metadata.name}`,
      shortOf: rejection.reason,
      ending: chosen.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).join(' '),
    });
    for (const victim of victims) {
      this.#deps.control.fail(victim, {
        reason: 'Preempting',
        message: PREEMPTED,
        conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet', message: PREEMPTED }],
      });
    }
    this.#victims.set(uid, victims);
    return 'wait';
  }

  #others(uid: string): Pod[] {
    return this.#deps.pods
      .list()
      .filter((record) => record.pod.metadata.uid !== uid && this.#holdsRoom(record))
      .map(({ pod }) => pod);
  }

  #holdsRoom({ pod, status }: PodRecord): boolean {
    if (isTerminalPhase(status.phase)) return false;
    return this.#admitted.has(pod.metadata.uid ?? '') || status.startTime !== undefined;
  }

  #hasEnded(uid: string): boolean {
    const record = this.#deps.pods.byUid(uid);
    return record === undefined || isTerminalPhase(record.status.phase);
  }
}
