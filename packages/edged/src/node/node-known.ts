import { createCell, type Cell } from '@edge/core';
import type { KubeNode } from '@edge/protocol';
import { isOlder } from '../pods/resource-version.js';

/** The Node object as the API is known to have it. */
export class NodeKnown {
  readonly #cell = createCell<KubeNode | undefined>(undefined);

  get cell(): Cell<KubeNode | undefined> {
    return this.#cell;
  }

  get value(): KubeNode | undefined {
    return this.#cell.value;
  }

  /** Takes an object from an answer or the store, unless it is older than what is known. */
  learn(node: KubeNode): void {
    const known = this.#cell.value;
    // Some refusals come with an object that has labels and nothing else.
    if (!node.metadata?.uid || (known && isOlder(node.metadata, known.metadata))) return;
    this.#cell.set(node);
  }

  /** Calls back when another Node has taken the place of the one that was known: deleted and made anew, or of another cluster. */
  onAnother(callback: () => void): Disposable {
    let uid = this.value?.metadata.uid;
    return this.#cell.subscribe((node) => {
      const next = node?.metadata.uid;
      if (next === undefined || next === uid) return;
      if (uid !== undefined) callback();
      uid = next;
    });
  }

  /** The API says that it has no such node. */
  forget(): void {
    this.#cell.set(undefined);
  }
}
