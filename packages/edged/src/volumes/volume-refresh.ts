import { errorText, isAbort, type Logger } from '@edge/core';
import type { Pod } from '@edge/protocol';
import { isPayload } from './plan-volumes.js';
import type { Volumes } from './volumes.js';
import type { PodFacts } from '../plan/pod-fields.js';

export interface VolumeRefreshDeps {
  readonly volumes: Volumes;
  /** Facts of a pod as its last status has them. */
  readonly facts: (pod: Pod) => PodFacts;
  readonly log: Logger;
}

/** Keeps the files in the volumes of running pods equal to the objects they come from. */
export class VolumeRefresh {
  readonly #deps: VolumeRefreshDeps;
  /** Pods whose files are being written; true when something has changed meanwhile. */
  readonly #busy = new Map<string, boolean>();

  constructor(deps: VolumeRefreshDeps) {
    this.#deps = deps;
  }

  /** Writes what is different. Any number of calls while one is at work cost one more round. */
  refresh(pod: Pod, signal: AbortSignal): void {
    const uid = pod.metadata.uid ?? '';
    if (!(pod.spec.volumes ?? []).some(isPayload)) return;
    if (this.#busy.has(uid)) {
      this.#busy.set(uid, true);
      return;
    }
    this.#busy.set(uid, false);
    void this.#write(pod, signal).then(() => {
      const again = this.#busy.get(uid) ?? false;
      this.#busy.delete(uid);
      if (again && !signal.aborted) this.refresh(pod, signal);
    });
  }

  async #write(pod: Pod, signal: AbortSignal): Promise<void> {
    try {
      await this.#deps.volumes.refresh(pod, this.#deps.facts(pod), signal);
    } catch (error) {
      if (isAbort(error)) return;
      this.#deps.log.warn('volumes keep their old content', { pod: `${pod.metadata.namespace}/${pod.metadata.name}`, err: errorText(error) });
    }
  }
}
