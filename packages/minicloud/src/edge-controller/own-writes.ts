/** So many writes are remembered; each is looked up within a turn of the event loop. */
const REMEMBERED = 10_000;

/** Which versions were written on a node's own behalf, so that they are not sent back to it. */
export class OwnWrites {
  readonly #writes = new Set<string>();

  add(node: string, uid: string, version: string): void {
    this.#writes.add(`${node}/${uid}/${version}`);
    if (this.#writes.size <= REMEMBERED) return;
    const oldest = this.#writes.values().next().value;
    if (oldest !== undefined) this.#writes.delete(oldest);
  }

  /** Whether the node wrote that version itself. Forgets it. */
  take(node: string, uid: string, version: string): boolean {
    return this.#writes.delete(`${node}/${uid}/${version}`);
  }
}
