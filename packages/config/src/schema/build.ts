import type { HostFacts } from '../host.js';
import { nonNegativeDuration, oneOf } from './checks.js';
import type { AnyField, Field, Fields, Options, Section, Shape } from './field.js';

/** The words the schema tables are written with. */

type Default<T> = T | ((host: HostFacts) => T);

const shapes = {
  bool: { kind: 'bool' },
  string: { kind: 'string' },
  float: { kind: 'float' },
  duration: { kind: 'duration' },
  int32: { kind: 'int', name: 'int32', min: -2147483648, max: 2147483647 },
  int64: { kind: 'int', name: 'int64', min: -(2 ** 63), max: 2 ** 63 },
  uint32: { kind: 'int', name: 'uint32', min: 0, max: 4294967295 },
  uint8: { kind: 'int', name: 'uint8', min: 0, max: 255 },
} as const satisfies Record<string, Shape>;

export { shapes };

function field<T>(shape: Shape, value: Default<T>, doc: string, options: Options<T> = {}, nullable = false): Field<T> {
  return {
    node: 'field',
    shape,
    doc,
    default: value,
    nullable,
    minimal: options.minimal === undefined ? false : options.minimal === true ? 'default' : options.minimal,
    omitEmpty: options.omitEmpty ?? false,
    secret: options.secret ?? false,
    ...(options.check === undefined ? {} : { check: options.check }),
  };
}

export const bool = (value: boolean, doc: string, options?: Options<boolean>): Field<boolean> => field(shapes.bool, value, doc, options);
export const string = (value: Default<string>, doc: string, options?: Options<string>): Field<string> => field(shapes.string, value, doc, options);
/** A string of which only a few words are allowed. */
export const choice = <W extends string>(words: readonly [W, ...W[]], doc: string): Field<W> => field<W>(shapes.string, words[0], doc, { check: oneOf(...words) });
export const float = (value: number, doc: string, options?: Options<number>): Field<number> => field(shapes.float, value, doc, options);
export const int32 = (value: number, doc: string, options?: Options<number>): Field<number> => field(shapes.int32, value, doc, options);
export const int64 = (value: number, doc: string, options?: Options<number>): Field<number> => field(shapes.int64, value, doc, options);
export const uint32 = (value: number, doc: string, options?: Options<number>): Field<number> => field(shapes.uint32, value, doc, options);
export const uint8 = (value: number, doc: string, options?: Options<number>): Field<number> => field(shapes.uint8, value, doc, options);
export const duration = (value: string, doc: string, options?: Options<string>): Field<string> =>
  field(shapes.duration, value, doc, { check: nonNegativeDuration, ...options });

export function list(value: readonly string[] | undefined, doc: string, options?: Options<readonly string[] | undefined>): Field<readonly string[] | undefined> {
  return field<readonly string[] | undefined>({ kind: 'list', of: shapes.string }, value, doc, options, true);
}

/** A list of objects; never has a default. */
export function objects<T>(fields: Readonly<Record<string, Shape>>, doc: string): Field<readonly T[] | undefined> {
  return field<readonly T[] | undefined>({ kind: 'list', of: { kind: 'object', fields } }, undefined, doc, { omitEmpty: true }, true);
}

type Strings = Readonly<Record<string, string>> | undefined;
type Flags = Readonly<Record<string, boolean>> | undefined;

export const strings = (value: Strings, doc: string, options?: Options<Strings>): Field<Strings> =>
  field<Strings>({ kind: 'map', of: shapes.string }, value, doc, options, true);
export const flags = (doc: string, options?: Options<Flags>): Field<Flags> =>
  field<Flags>({ kind: 'map', of: shapes.bool }, undefined, doc, { omitEmpty: true, ...options }, true);

/** A Go pointer with a default. */
export const pointer = <T>(row: Field<T>): Field<T | undefined> => ({ ...(row as Field<T | undefined>), nullable: true });
/** A Go pointer that is nil unless the file sets it. */
export const unset = <T>(row: Field<T>): Field<T | undefined> => ({ ...(row as Field<T | undefined>), nullable: true, default: undefined });

/** A section upstream holds by pointer. */
export const section = <F extends Fields>(doc: string, fields: F): Section<F> => ({ node: 'section', doc, fields, pointer: true, own: false });
/** A section upstream holds by value: an explicit `null` is the same as leaving it out. */
export const struct = <F extends Fields>(doc: string, fields: F): Section<F> => ({ node: 'section', doc, fields, pointer: false, own: false });
/** A section that upstream does not have. */
export const own = <F extends Fields>(doc: string, fields: F): Section<F> => ({ node: 'section', doc, fields, pointer: true, own: true });

/** The same rows, all printed by `--minconfig`. */
export const minimal = <F extends Fields>(fields: F): F => each(fields, (row) => ({ ...row, minimal: row.minimal === false ? 'default' : row.minimal }));
/** The same rows, all left out when empty. */
export const omitEmpty = <F extends Fields>(fields: F): F => each(fields, (row) => ({ ...row, omitEmpty: true }));

function each<F extends Fields>(fields: F, change: (row: AnyField) => AnyField): F {
  const entries = Object.entries(fields).map(([key, node]) => [
    key,
    node.node === 'field' ? change(node) : { ...node, fields: each(node.fields, change) },
  ]);
  return Object.fromEntries(entries) as F;
}
