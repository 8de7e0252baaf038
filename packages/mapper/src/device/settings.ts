import type { ConfigValue } from '@edge/protocol/dmi';
import { MapperError, MapperErrors } from '../errors.js';

/**
 * The free settings of a device's protocol or of a property's visitor (`configData` in the manifest), read by type. A
 * setting that is missing takes the fallback; without one, or when the type is another, it is an error that names it.
 */
export class Settings {
  readonly #owner: string;
  readonly values: Readonly<Record<string, ConfigValue>>;

  /** @param owner for messages: `property temperature of device default/boiler` */
  constructor(owner: string, values: Readonly<Record<string, ConfigValue>>) {
    this.#owner = owner;
    this.values = values;
  }

  /** @throws MapperError `mapper.bad-setting` */
  text(key: string, fallback?: string): string {
    const value = this.#value(key, fallback, 'a text');
    // "port: 502" and "port: '502'" mean the same to whoever wrote it.
    return typeof value === 'string' ? value : String(value);
  }

  /** @throws MapperError `mapper.bad-setting` */
  number(key: string, fallback?: number): number {
    const value = this.#value(key, fallback, 'a number');
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    if (typeof number !== 'number' || !Number.isFinite(number)) throw this.#bad(key, value, 'a number');
    return number;
  }

  /** @throws MapperError `mapper.bad-setting` */
  integer(key: string, fallback?: number): number {
    const number = this.number(key, fallback);
    if (!Number.isInteger(number)) throw this.#bad(key, number, 'a whole number');
    return number;
  }

  /** @throws MapperError `mapper.bad-setting` */
  flag(key: string, fallback?: boolean): boolean {
    const value = this.#value(key, fallback, 'true or false');
    if (value === true || value === 'true') return true;
    if (value === false || value === 'false') return false;
    throw this.#bad(key, value, 'true or false');
  }

  /** One of the given words, whatever their case. @throws MapperError `mapper.bad-setting` */
  choice<const Word extends string>(key: string, words: readonly Word[], fallback?: Word): Word {
    const value = this.#value(key, fallback, `one of ${words.join(', ')}`);
    const word = words.find((candidate) => candidate.toLowerCase() === String(value).toLowerCase());
    if (word === undefined) throw this.#bad(key, value, `one of ${words.join(', ')}`);
    return word;
  }

  #value(key: string, fallback: ConfigValue | undefined, expected: string): ConfigValue {
    const value = Object.hasOwn(this.values, key) ? this.values[key] : undefined;
    if (value !== undefined) return value;
    if (fallback !== undefined) return fallback;
    throw new MapperError(MapperErrors.badSetting, `${this.#owner}: configData.${key} is missing, expected ${expected}`);
  }

  #bad(key: string, value: ConfigValue, expected: string): MapperError {
    return new MapperError(MapperErrors.badSetting, `${this.#owner}: configData.${key} is ${JSON.stringify(value)}, expected ${expected}`);
  }
}
