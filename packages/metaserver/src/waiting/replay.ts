import { Complaints, errorText, sleep, type CloudLink, type Logger } from '@edge/core';
import { isApiError } from '@edge/kubeapi';
import { keyOf } from '../copy/journal.js';
import type { ObjectCopy } from '../copy/object-copy.js';
import type { TypeCatalog } from '../types/catalog.js';
import type { ApplicationRequest } from '../cloud/application.js';
import type { CloudApi } from '../cloud/cloud-api.js';
import type { CloudReader } from '../cloud/cloud-reader.js';
import { readObject } from '../cloud/listing.js';
import { judge } from './judge.js';
import type { Result, WaitingQueue, WaitingRow } from './waiting-queue.js';

const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 60_000;

export interface ReplayDeps {
  readonly queue: WaitingQueue;
  readonly cloud: CloudApi;
  readonly reader: CloudReader;
  readonly catalog: TypeCatalog;
  readonly link: CloudLink;
  readonly log: Logger;
}

/** Makes the changes that waited, one after the other, each object's in order, whenever there is a link. [metaserver-33] */
export class Replay {
  readonly #deps: ReplayDeps;
  readonly #complaints = new Complaints();
  /** What became of changes whose end could not be written: they are not made once more. */
  readonly #ended = new Map<number, Result>();
  #isWoken = false;
  #wake: (() => void) | undefined;

  constructor(deps: ReplayDeps) {
    this.#deps = deps;
  }

  /** There is something new to do. */
  wake(): void {
    this.#isWoken = true;
    this.#wake?.();
  }

  async run(copy: ObjectCopy, signal: AbortSignal): Promise<void> {
    const { link, queue } = this.#deps;
    using _session = link.subscribe(({ connected }) => connected && this.wake());
    let pause = FIRST_PAUSE_MS;
    while (!signal.aborted) {
      this.#isWoken = false;
      const isWork = link.value.connected && queue.waiting.length > 0;
      const { session } = link.value;
      const left = isWork ? await this.#pass(copy, signal) : 0;
      pause = left > 0 && session === link.value.session ? Math.min(pause * 2, LONGEST_PAUSE_MS) : FIRST_PAUSE_MS;
      await this.#rest(left > 0 ? pause : undefined, signal);
    }
  }

  /** @returns how many have to be tried again */
  async #pass(copy: ObjectCopy, signal: AbortSignal): Promise<number> {
    const { queue, link } = this.#deps;
    const blocked = new Set<string>();
    for (const row of queue.waiting) {
      if (signal.aborted || !link.value.connected) break;
      // Those behind one that has to be tried again stay behind it.
      if (blocked.has(row.place) || !queue.has(row.id)) continue;
      if (!(await this.#tryWhole(copy, row, signal))) blocked.add(row.place);
    }
    return blocked.size;
  }

  /** As `#try`. A disk that takes nothing ends neither the changes nor the API. */
  async #tryWhole(copy: ObjectCopy, row: WaitingRow, signal: AbortSignal): Promise<boolean> {
    try {
      return await this.#try(copy, row, signal);
    } catch (error) {
      const err = errorText(error);
      if (!signal.aborted && this.#complaints.passes(err)) this.#deps.log.error('what becomes of a change that waits cannot be written down; it is tried again', { id: row.id, err });
      return false;
    }
  }

  /** @returns false when it has to be tried again */
  async #try(copy: ObjectCopy, given: WaitingRow, signal: AbortSignal): Promise<boolean> {
    const { queue, cloud, log } = this.#deps;
    const known = this.#ended.get(given.id);
    if (known !== undefined) {
      await this.#end(given, known);
      return true;
    }
    const request = JSON.parse(given.request) as ApplicationRequest;
    const row = await queue.begin(given);
    let answer: string | undefined;
    try {
      answer = await cloud.ask(request);
    } catch (error) {
      if (signal.aborted) return false;
      const verdict = judge(request.verb, row, error);
      if (verdict.kind === 'later') {
        await queue.postpone(row, verdict.why);
        return false;
      }
      const { phase, reason, message } = verdict.result;
      await this.#end(row, verdict.result);
      if (phase === 'Refused') log.warn('a change that waited for the cloud was refused', { id: row.id, verb: request.verb, key: request.key, reason, message });
      return true;
    }
    await this.#end(row, { phase: 'Done', code: request.verb === 'create' ? 201 : 200, reason: '', message: '' });
    await this.#show(copy, row, request, answer, signal);
    return true;
  }

  async #end(row: WaitingRow, result: Result): Promise<void> {
    this.#ended.set(row.id, result);
    await this.#deps.queue.end(row, result);
    this.#ended.delete(row.id);
  }

  /** What the cloud made of it shows here as well; where that fails the next read or push brings it. */
  async #show(copy: ObjectCopy, row: WaitingRow, { verb }: ApplicationRequest, answer: string | undefined, signal: AbortSignal): Promise<void> {
    const { reader, catalog, log } = this.#deps;
    const object = readObject(answer);
    try {
      if (verb !== 'delete') {
        if (object !== undefined && (object.metadata.resourceVersion ?? '') !== '') await reader.keep(copy, [object], signal);
        return;
      }
      const type = catalog.ofKind(row.api_version, row.kind);
      const { namespace, name } = keyOf(row.place);
      if (type === undefined) return;
      await reader.get(copy, type, { group: type.group, version: type.version, resource: type.plural, ...(namespace === '' ? {} : { namespace }), name }, signal);
    } catch (error) {
      if (!isApiError(error, 'NotFound')) log.verbose(1, 'a change was made in the cloud and does not show here yet', { key: row.place, err: errorText(error) });
    }
  }

  #rest(ms: number | undefined, signal: AbortSignal): Promise<void> {
    if (this.#isWoken || signal.aborted) return Promise.resolve();
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    const either = AbortSignal.any([signal, woken.signal]);
    if (ms !== undefined) return sleep(ms, either).catch(() => undefined);
    return new Promise((resolve) => either.addEventListener('abort', () => resolve(), { once: true }));
  }
}
