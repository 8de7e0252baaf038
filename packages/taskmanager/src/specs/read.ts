import { isFields, type Fields } from '@edge/protocol';
import { taskError, TaskErrors } from '../errors.js';

/** Reads members of what the cloud sent: absent ones and null are Go's empty values, others must be what they should be. */
export class SpecReader {
  readonly #fields: Fields;
  readonly #where: string;

  /**
   * @param where what it is, for people: `the spec`
   * @throws EdgeError `taskmanager.bad-spec`
   */
  constructor(content: unknown, where: string) {
    this.#where = where;
    if (!isFields(content)) throw taskError(TaskErrors.badSpec, `${where} is ${excerpt(content)}, it must be an object`);
    this.#fields = content;
  }

  text(name: string): string {
    const value = this.#member(name) ?? '';
    return typeof value === 'string' ? value : this.#refuse(name, value, 'a text');
  }

  flag(name: string): boolean {
    const value = this.#member(name) ?? false;
    return typeof value === 'boolean' ? value : this.#refuse(name, value, 'true or false');
  }

  /** A whole number of zero or more. */
  count(name: string): number {
    const value = this.#member(name) ?? 0;
    return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : this.#refuse(name, value, 'a whole number of 0 or more');
  }

  texts(name: string): readonly string[] {
    const value = this.#member(name) ?? [];
    const isList = Array.isArray(value) && value.every((one) => typeof one === 'string');
    return isList ? (value as string[]) : this.#refuse(name, value, 'a list of texts');
  }

  /** Texts by name. */
  table(name: string): Readonly<Record<string, string>> {
    const value = this.#member(name) ?? {};
    const isTable = isFields(value) && Object.values(value).every((one) => typeof one === 'string');
    return isTable ? (value as Record<string, string>) : this.#refuse(name, value, 'texts by name');
  }

  section(name: string): SpecReader {
    return new SpecReader(this.#member(name) ?? {}, `${this.#where}.${name}`);
  }

  /** The member as it came. */
  raw(name: string): unknown {
    return this.#member(name) ?? null;
  }

  /** True when the member is there and not null. */
  has(name: string): boolean {
    return (this.#member(name) ?? undefined) !== undefined;
  }

  /** Go finds members in any case. */
  #member(name: string): unknown {
    if (Object.hasOwn(this.#fields, name)) return this.#fields[name];
    const key = Object.keys(this.#fields).find((one) => one.toLowerCase() === name.toLowerCase());
    return key === undefined ? undefined : this.#fields[key];
  }

  #refuse(name: string, value: unknown, expected: string): never {
    throw taskError(TaskErrors.badSpec, `${this.#where}.${name} is ${excerpt(value)}, it must be ${expected}`);
  }
}

function excerpt(value: unknown): string {
  const text = JSON.stringify(value) ?? 'undefined';
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
