import type { HostFacts } from '../host.js';

/** The shape of a value in the file. Durations are Go duration texts; objects inside lists have no defaults. */
export type Shape =
  | { readonly kind: 'bool' | 'float' | 'string' | 'duration' }
  | { readonly kind: 'int'; readonly name: string; readonly min: number; readonly max: number }
  | { readonly kind: 'list'; readonly of: Shape }
  | { readonly kind: 'map'; readonly of: Shape }
  | { readonly kind: 'object'; readonly fields: Readonly<Record<string, Shape>> };

/** What a check says of a value: `expected` tells in words what would be right. `at` names a key inside a map value. */
export interface Verdict {
  readonly severity: 'error' | 'warning';
  readonly expected: string;
  readonly at?: string;
}

export type Check<T> = (value: T) => Verdict | undefined;

/** One row of the schema: everything that is known about one key of the file. */
export interface Field<T> {
  readonly node: 'field';
  readonly shape: Shape;
  readonly doc: string;
  readonly default: T | ((host: HostFacts) => T);
  /** Go pointers, lists and maps: `null` in the file clears the value. For all others `null` keeps the default. */
  readonly nullable: boolean;
  /** Printed by `--minconfig`; with the value given here where upstream prints another one than the default. */
  readonly minimal: false | 'default' | { readonly value: T };
  /** Go's `omitempty`: an empty value is left out when printing. */
  readonly omitEmpty: boolean;
  /** Never shown in any message. */
  readonly secret: boolean;
  readonly check?: Check<NonNullable<T>>;
}

/** A nested part of the file. */
export interface Section<F extends Fields = Fields> {
  readonly node: 'section';
  readonly doc: string;
  readonly fields: F;
  /** Upstream has a pointer here and crashes on an explicit `null`; we refuse it in words. Plain structs ignore `null`. */
  readonly pointer: boolean;
  /** Ours, not upstream's: read and validated, never printed. */
  readonly own: boolean;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a row of any value type; the type is recovered by Infer
export type AnyField = Field<any>;
export type Fields = { readonly [key: string]: AnyField | Section };

/** The plain data type of a section: same keys, values typed by their rows. */
export type Infer<N> = N extends Section<infer F> ? { readonly [K in keyof F]: Infer<F[K]> } : N extends Field<infer T> ? T : never;

export interface Options<T> {
  readonly minimal?: true | { readonly value: T };
  readonly omitEmpty?: true;
  readonly secret?: true;
  readonly check?: Check<NonNullable<T>>;
}
