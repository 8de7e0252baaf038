import { sleep, isAbort, errorText, type Logger } from '@edge/core';
import type { Pod } from '@edge/protocol';
import { isTerminalPhase } from '../plan/containers.js';
import { parseQuantity } from '../plan/quantity.js';
import type { PodControl, PodsView } from '../pods/pods-view.js';
import { directoryUse } from './directory-use.js';
import { volumeDirectory } from './layout.js';

/** Between two measurements; longer when measuring takes long, so that it never costs more than a few per cent. */
const PAUSE_MS = 10_000;
const SHARE = 50;
/** From this priority on a pod is part of the system and is not evicted. */
const CRITICAL = 2_000_000_000;

export interface SizeLimitsDeps {
  readonly root: string;
  readonly pods: PodsView;
  readonly control: PodControl;
  readonly log: Logger;
}

/** Ends pods that put more into an emptyDir than its `sizeLimit`. */
export class SizeLimits {
  readonly #deps: SizeLimitsDeps;

  constructor(deps: SizeLimitsDeps) {
    this.#deps = deps;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const began = performance.now();
      await this.look(signal);
      await sleep(Math.max(PAUSE_MS, (performance.now() - began) * SHARE), signal);
    }
  }

  /** Measures all once. */
  async look(signal: AbortSignal): Promise<void> {
    const { pods, control, log } = this.#deps;
    for (const { pod, status, terminating, removed } of pods.list()) {
      if (terminating || removed || isTerminalPhase(status.phase) || (pod.spec.priority ?? 0) >= CRITICAL) continue;
      try {
        const message = await this.#excess(pod, signal);
        if (message !== undefined) control.fail(pod.metadata.uid ?? '', { reason: 'Evicted', message, graceSeconds: 1 });
      } catch (error) {
        if (isAbort(error) || signal.aborted) throw error;
        log.warn('the volumes of a pod cannot be measured', { pod: `${pod.metadata.namespace}/${pod.metadata.name}`, err: errorText(error) });
      }
    }
  }

  async #excess({ metadata, spec }: Pod, signal: AbortSignal): Promise<string | undefined> {
    for (const { name, emptyDir } of spec.volumes ?? []) {
      const { sizeLimit } = emptyDir ?? {};
      if (sizeLimit === undefined) continue;
      const limit = parseQuantity(sizeLimit) / 1000n;
      if (limit <= 0n) continue;
      const { bytes } = await directoryUse(volumeDirectory(this.#deps.root, metadata.uid ?? '', 'empty-dir', name), signal);
      // People search for this text.
      if (BigInt(bytes) > limit) return `Usage of EmptyDir volume "${name}" exceeds the limit "${sizeLimit}". `;
    }
    return undefined;
  }
}
