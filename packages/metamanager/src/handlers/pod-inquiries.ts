import type { Message } from '@edge/protocol';
import { isInquiry, patchedUid } from '../decide/vanished.js';

/** Answers that never come are forgotten. */
const LIMIT = 1_000;

/**
 * Questions whether the API has a pod that runs here and has no row, by their message ids. Only the answer to one of
 * these may make a row: other patches are about pods whose row is there, or was there until the pod was deleted.
 */
export class PodInquiries {
  readonly #uids = new Map<string, string>();

  note({ header, content }: Message): void {
    const uid = isInquiry(content) ? patchedUid(content as string) : undefined;
    if (uid === undefined) return;
    this.#uids.set(header.id, uid);
    const [oldest] = this.#uids.keys();
    if (this.#uids.size > LIMIT && oldest !== undefined) this.#uids.delete(oldest);
  }

  /** The uid that was asked about; once. */
  take(id: string | undefined): string | undefined {
    const uid = this.#uids.get(id ?? '');
    this.#uids.delete(id ?? '');
    return uid;
  }
}
