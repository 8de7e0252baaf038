import { createCell, type Cell, type Store, type Table, type WritableCell } from '@edge/core';
import { targetUrlsTable, type TargetUrlRow } from '@edge/protocol';

/** URLs that programs on this node may name, because a rule of the cloud does. */
export class TargetUrls {
  readonly #store: Store;
  readonly #table: Table<TargetUrlRow>;
  readonly #some: WritableCell<boolean>;

  constructor(deps: { store: Store }) {
    this.#store = deps.store;
    this.#table = deps.store.table<TargetUrlRow>(targetUrlsTable);
    this.#some = createCell(this.#table.count() > 0);
  }

  /** True while there is any. */
  get some(): Cell<boolean> {
    return this.#some;
  }

  /** True for a URL that stands there byte for byte. */
  has(url: string): boolean {
    return this.#table.get({ url }) !== undefined;
  }

  /** Adds one; again is fine. Resolves when it is on the disk. */
  async add(url: string): Promise<void> {
    await this.#store.commit(() => this.#table.put({ url }));
    this.#some.set(true);
  }

  /**
   * Takes one away; one that is not there is fine. The cloud cleans it like a file's path, which leaves `http:/host/path` of
   * `http://host/path/`: what is the same when cleaned is meant, the URL with its two slashes before all others.
   */
  async remove(url: string): Promise<void> {
    const gone = this.#meant(url);
    await this.#store.commit(() => gone.forEach((row) => this.#table.remove({ url: row })));
    this.#some.set(this.#table.count() > 0);
  }

  #meant(url: string): string[] {
    const whole = url.replace(/^([a-z][a-z0-9+.-]*):\/(?!\/)/i, '$1://');
    for (const exact of [url, whole]) if (this.has(exact)) return [exact];
    const wanted = cleaned(url);
    return this.#table.all().map((row) => row.url).filter((row) => cleaned(row) === wanted);
  }
}

/** A path as Go's `path.Clean` has it: single slashes, no `.` and `..`, none at the end. */
export function cleaned(path: string): string {
  const rooted = path.startsWith('/');
  const steps: string[] = [];
  for (const step of path.split('/')) {
    if (step === '' || step === '.') continue;
    if (step !== '..') steps.push(step);
    else if (steps.length > 0 && steps.at(-1) !== '..') steps.pop();
    else if (!rooted) steps.push('..');
  }
  return `${rooted ? '/' : ''}${steps.join('/')}` || (rooted ? '/' : '.');
}
