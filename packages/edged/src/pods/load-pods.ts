import { backoffDelay, errorText, isAbort, sleep, type Logger } from '@edge/core';
import { formatResource, ResourceTypes } from '@edge/protocol';
import type { MetaClient } from '../apply/meta-client.js';
import { readLastWords, readPodList, type PodList } from './pod-list.js';

const RETRY = { firstMs: 200, factor: 2, limitMs: 5_000, jitter: 0.1 };

export interface LoadPodsInput {
  readonly meta: MetaClient;
  readonly nodeName: string;
  /** Namespace of the queries; the answers hold all namespaces. */
  readonly namespace: string;
  readonly log: Logger;
}

/** What the store has of the pods of the node. */
export interface StoredPods extends PodList {
  /** Status patches of an earlier run of the agent that the API may not have heard, by uid there. */
  readonly lastWords: ReadonlyMap<string, object>;
}

/** Asks until there is an answer. */
export async function loadPods(input: LoadPodsInput, signal: AbortSignal): Promise<StoredPods> {
  const { meta, nodeName, namespace, log } = input;
  for (let attempt = 0; ; attempt += 1) {
    try {
      const list = readPodList(await meta.rows(formatResource({ namespace, type: ResourceTypes.pod }), signal), nodeName);
      const lastWords = await loadLastWords(input, signal);
      if (list.unreadable > 0) log.error('stored pods cannot be read, so containers of unknown pods are left alone', { rows: list.unreadable });
      return { ...list, lastWords };
    } catch (error) {
      if (isAbort(error)) throw error;
      if (attempt % 10 === 0) log.warn('pod list not available yet, no pod is touched', { err: errorText(error) });
      await sleep(backoffDelay(RETRY, attempt, Math.random()), signal);
    }
  }
}

/** They only make statuses more exact, so without them things go on. */
async function loadLastWords({ meta, namespace, log }: LoadPodsInput, signal: AbortSignal): Promise<ReadonlyMap<string, object>> {
  try {
    return readLastWords(await meta.rows(formatResource({ namespace, type: ResourceTypes.podPatch }), signal));
  } catch (error) {
    if (isAbort(error)) throw error;
    log.verbose(1, 'what was said last about pods cannot be read', { err: errorText(error) });
    return new Map();
  }
}
