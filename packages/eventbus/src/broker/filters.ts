/** Filters of one client. */
const MAX_FILTERS = 10_000;
/** Their text, and what each level takes besides. */
const MAX_SIZE = 2 * 1024 * 1024;
const LEVEL = 16;

/** What one client has subscribed to, by filter, within limits. */
export class Filters<T> {
  readonly #all = new Map<string, T>();
  #size = 0;

  get(filter: string): T | undefined {
    return this.#all.get(filter);
  }

  /** False when there is no room for another one. */
  add(filter: string, value: T): boolean {
    const size = this.#size + sizeOf(filter);
    if (this.#all.size >= MAX_FILTERS || size > MAX_SIZE) return false;
    this.#all.set(filter, value);
    this.#size = size;
    return true;
  }

  delete(filter: string): void {
    if (this.#all.delete(filter)) this.#size -= sizeOf(filter);
  }

  entries(): Iterable<[string, T]> {
    return this.#all.entries();
  }
}

function sizeOf(filter: string): number {
  return filter.length + filter.split('/').length * LEVEL;
}
