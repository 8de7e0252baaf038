import { randomUUID } from 'node:crypto';
import { errorText, type Logger } from '@edge/core';
import { Operations, readObjectResponse, ResourceTypes, type Message, type Pod, type PodStatus } from '@edge/protocol';
import type { MetaClient } from '../apply/meta-client.js';
import { NODE_CONDITIONS } from '../plan/conditions.js';
import { isTerminalPhase } from '../plan/containers.js';
import { isWorthSending, podPatchText, podStatusChanges, refusedChanges, type StatusChanges, withDoubtfulReady } from '../plan/status-patch.js';
import { steadyNow } from '../steady-clock.js';

/** A patch without an answer keeps the next one back for so long, while the link is up. */
const HOLD_MS = 10_000;
/** After so long an answer is taken for lost. */
const LOST_MS = 90_000;
/** Pause after the cloud refused a patch for a reason that may pass. */
const REFUSAL_PAUSE_MS = 30_000;

interface Patch {
  readonly id: string;
  readonly changes: StatusChanges;
  readonly wanted: PodStatus;
  readonly at: number;
}

interface Entry {
  /** The pod as the API is known to have it. */
  pod: Pod;
  /** The API has nothing of it: a static pod without its mirror. */
  local: boolean;
  /** What an earlier run of the agent said last and the API may not have heard. */
  recalled: PodStatus | undefined;
  wanted: PodStatus | undefined;
  inFlight: Patch | undefined;
  /** What the API server drops. */
  refused: StatusChanges;
  /** The API no longer has the pod: nothing can be said about it any more. */
  gone: boolean;
  silentUntil: number;
  deleteSentAt: number | undefined;
  sending: boolean;
  /** What was compared last and left nothing to send: most looks are about the same two again. */
  agreed: { readonly pod: Pod; readonly wanted: PodStatus } | undefined;
  /** The Ready condition has to be said again, whatever the API is believed to have. */
  restate: boolean;
}

export interface PodStatusesDeps {
  readonly meta: MetaClient;
  /** True while the link to the cloud is up. */
  readonly connected: () => boolean;
  /** Called with the pod from an answer. */
  readonly onPod: (pod: Pod) => void;
  readonly log: Logger;
}

/**
 * Brings pod statuses to the cloud: only what differs from what the API has, one patch at a time while the link is up,
 * and never the same patch again when the API server keeps nothing of it.
 */
export class PodStatuses {
  readonly #deps: PodStatusesDeps;
  readonly #entries = new Map<string, Entry>();
  readonly #patches = new Map<string, string>();

  constructor(deps: PodStatusesDeps) {
    this.#deps = deps;
  }

  /**
   * The pod as the API has it: from the list, a push or an answer.
   * @param uid under which it is known on this node, when that is another one than in the API
   */
  known(pod: Pod, uid: string = pod.metadata.uid ?? ''): void {
    const entry = this.#entries.get(uid);
    if (!entry) {
      this.#entries.set(uid, fresh(pod, false));
      return;
    }
    // Another object than before, so nothing that was found out about that one counts.
    if (entry.local || entry.pod.metadata.uid !== pod.metadata.uid) this.#entries.set(uid, { ...fresh(pod, false), wanted: entry.wanted });
    else entry.pod = pod;
    this.#consider(uid, this.#entries.get(uid) as Entry);
  }

  /** A pod that the API has nothing of, or no longer: its status is kept until it has. */
  unknown(uid: string, pod: Pod): void {
    this.#entries.set(uid, { ...fresh(pod, true), wanted: this.#entries.get(uid)?.wanted });
  }

  /** What an earlier run of the agent said last. */
  recall(uid: string, status: PodStatus): void {
    const entry = this.#entries.get(uid);
    if (entry) entry.recalled = status;
  }

  /** What to build the next status on: the last one, with the conditions of others as the API has them. */
  previous(uid: string): PodStatus {
    const entry = this.#entries.get(uid);
    const reported = entry?.local ? {} : (entry?.pod.status ?? {});
    const last = entry?.wanted ?? entry?.recalled;
    if (!last) return reported;
    const own = (last.conditions ?? []).filter(({ type }) => NODE_CONDITIONS.has(type));
    const others = (reported.conditions ?? []).filter(({ type }) => !own.some((condition) => condition.type === type));
    const conditions = [...own, ...others];
    if (!isTakenBack(reported, last)) return { ...last, conditions };
    const { phase, reason, message } = reported;
    return { ...last, conditions, phase, ...(reason === undefined ? {} : { reason }), ...(message === undefined ? {} : { message }) };
  }

  /** The status that the pod has now. */
  set(uid: string, status: PodStatus): void {
    const entry = this.#entries.get(uid);
    if (!entry) return;
    entry.wanted = status;
    this.#consider(uid, entry);
  }

  /** True when the API has the pod's final phase. */
  isFinal(uid: string): boolean {
    return isTerminalPhase(this.#entries.get(uid)?.pod.status?.phase);
  }

  /** Asks the cloud to drop the object of a pod that has ended, once. */
  sendDelete(uid: string): void {
    const entry = this.#entries.get(uid);
    if (!entry || entry.deleteSentAt !== undefined) return;
    entry.deleteSentAt = steadyNow();
    const { namespace, name } = entry.pod.metadata;
    this.#deps.meta
      .send(Operations.delete, `${namespace}/${ResourceTypes.pod}/${name}`, { gracePeriodSeconds: 0, preconditions: { uid } })
      .catch((error: unknown) => {
        entry.deleteSentAt = undefined;
        this.#deps.log.verbose(1, 'delete message not sent', { pod: `${namespace}/${name}`, err: errorText(error) });
      });
  }

  /** The answer to a patch, of this run of the agent or an earlier one. */
  answered(message: Message): void {
    const id = message.header.parentId ?? '';
    const uid = this.#patches.get(id);
    this.#patches.delete(id);
    const answer = readObjectResponse<Pod>(message.content);
    const entry = uid === undefined ? undefined : this.#entries.get(uid);
    const patch = entry?.inFlight?.id === id ? entry.inFlight : undefined;
    if (entry && patch) entry.inFlight = undefined;
    if (answer.error !== undefined) {
      if (entry) this.#refuse(entry, answer.error.reason ?? '', answer.error.message);
      return;
    }
    const pod = answer.object;
    if (entry && patch && pod.metadata?.uid === entry.pod.metadata.uid) {
      entry.refused = refusedChanges(patch.changes, podStatusChanges(pod, patch.wanted));
    }
    if (pod.metadata?.uid !== undefined) this.#deps.onPod(pod);
    if (uid !== undefined && entry) this.#consider(uid, entry);
  }

  /** Looks after patches and deletions whose answers did not come, and after those that were put off. From time to time. */
  sweep(): void {
    const now = steadyNow();
    const connected = this.#deps.connected();
    for (const [uid, entry] of this.#entries) {
      if (connected && entry.inFlight && now - entry.inFlight.at > LOST_MS) entry.inFlight = undefined;
      if (connected && entry.deleteSentAt !== undefined && now - entry.deleteSentAt > LOST_MS) {
        entry.deleteSentAt = undefined;
        this.sendDelete(uid);
      }
      this.#consider(uid, entry);
    }
  }

  /**
   * Says again of every pod whether it is ready. The cloud takes that away from pods of a node that was silent, and does
   * not always tell.
   */
  restate(): void {
    for (const [uid, entry] of this.#entries) {
      entry.restate = true;
      this.#consider(uid, entry);
    }
  }

  forget(uid: string): void {
    const patch = this.#entries.get(uid)?.inFlight;
    if (patch) this.#patches.delete(patch.id);
    this.#entries.delete(uid);
  }

  #refuse(entry: Entry, reason: string, text: string): void {
    const pod = `${entry.pod.metadata.namespace}/${entry.pod.metadata.name}`;
    // Or a later pod took the name. Either way metamanager or the cloud will say that this one is deleted.
    entry.gone = reason === 'NotFound' || ((reason === 'Conflict' || reason === 'Invalid') && /uid/i.test(text));
    entry.silentUntil = steadyNow() + REFUSAL_PAUSE_MS;
    if (entry.gone) this.#deps.log.verbose(1, 'the cloud no longer has the pod', { pod });
    else this.#deps.log.warn('the cloud refused a pod status', { pod, reason, err: text });
  }

  #consider(uid: string, entry: Entry): void {
    const { wanted, inFlight } = entry;
    if (wanted === undefined || entry.gone || entry.local || entry.sending || isTakenBack(entry.pod.status, wanted)) return;
    if (!entry.restate && entry.agreed?.pod === entry.pod && entry.agreed.wanted === wanted) return;
    const now = steadyNow();
    if (now < entry.silentUntil) return;
    if (inFlight && this.#deps.connected() && now - inFlight.at < HOLD_MS) return;
    const changes = podStatusChanges(entry.restate ? withDoubtfulReady(entry.pod) : entry.pod, wanted);
    if (!isWorthSending(changes, entry.refused)) {
      entry.agreed = { pod: entry.pod, wanted };
      return;
    }
    const uidInApi = entry.pod.metadata.uid ?? '';
    const text = podPatchText(uidInApi, changes);
    // It waits in the outbox already and goes out by itself.
    if (inFlight && podPatchText(uidInApi, inFlight.changes) === text) return;
    void this.#send(uid, entry, changes, wanted, text);
  }

  async #send(uid: string, entry: Entry, changes: StatusChanges, wanted: PodStatus, text: string): Promise<void> {
    const { namespace, name } = entry.pod.metadata;
    const before = entry.inFlight;
    const id = randomUUID();
    entry.sending = true;
    entry.restate = false;
    // Known before it is on its way: the answer may be quicker than the hand-over.
    entry.inFlight = { id, changes, wanted, at: steadyNow() };
    this.#patches.set(id, uid);
    try {
      await this.#deps.meta.send(Operations.patch, `${namespace}/${ResourceTypes.podPatch}/${name}`, text, id);
      if (before) this.#patches.delete(before.id);
    } catch (error) {
      this.#patches.delete(id);
      if (entry.inFlight?.id === id) entry.inFlight = before;
      entry.silentUntil = steadyNow() + 1000;
      this.#deps.log.verbose(1, 'pod status not sent, tried again soon', { pod: `${namespace}/${name}`, err: errorText(error) });
    } finally {
      entry.sending = false;
    }
    // What came while it was being handed over.
    if (this.#entries.get(uid) === entry) this.#consider(uid, entry);
  }
}

function fresh(pod: Pod, local: boolean): Entry {
  return {
    pod,
    local,
    recalled: undefined,
    wanted: undefined,
    inFlight: undefined,
    refused: {},
    gone: false,
    silentUntil: 0,
    deleteSentAt: undefined,
    sending: false,
    agreed: undefined,
    restate: false,
  };
}

/** True when the API has a final phase, set by somebody else, and our last word is not final: the worker has to think again. */
function isTakenBack(reported: PodStatus | undefined, wanted: PodStatus): reported is PodStatus & { phase: NonNullable<PodStatus['phase']> } {
  return isTerminalPhase(reported?.phase) && !isTerminalPhase(wanted.phase);
}
