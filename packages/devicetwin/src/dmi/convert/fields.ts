import { isFields, type Fields } from '@edge/protocol';

/**
 * Reads a JSON object as Go's decoder does: keys whatever their case, the exact one first. A member of another type than
 * the reader's counts as absent.
 */
export class FieldReader {
  readonly #fields: Fields;
  readonly #byLowerCase: ReadonlyMap<string, string>;

  constructor(value: unknown) {
    this.#fields = isFields(value) ? value : {};
    this.#byLowerCase = new Map(Object.keys(this.#fields).map((key) => [key.toLowerCase(), key]));
  }

  get(name: string): unknown {
    if (Object.hasOwn(this.#fields, name)) return this.#fields[name];
    const key = this.#byLowerCase.get(name.toLowerCase());
    return key === undefined ? undefined : this.#fields[key];
  }

  text(name: string): string {
    const value = this.get(name);
    return typeof value === 'string' ? value : '';
  }

  /** A whole number; 0 when there is none. */
  whole(name: string): number {
    const value = this.get(name);
    return typeof value === 'number' && Number.isSafeInteger(value) ? value : 0;
  }

  /** A whole number that fits 32 bits. */
  whole32(name: string): number {
    const value = this.whole(name);
    return value === (value | 0) ? value : 0;
  }

  flag(name: string): boolean {
    return this.get(name) === true;
  }

  texts(name: string): Record<string, string> {
    const value = this.get(name);
    return isFields(value) ? Object.fromEntries(Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string')) : {};
  }

  /** What `read` makes of the object at that key; undefined when there is none. */
  object<T>(name: string, read: (fields: FieldReader) => T): T | undefined {
    const value = this.get(name);
    return isFields(value) ? read(new FieldReader(value)) : undefined;
  }
}
