import { ConfigError } from './errors.js';
import type { HostFacts } from './host.js';
import { loadConfig } from './load.js';
import { nearest } from './nearest.js';
import type { Shape } from './schema/field.js';
import { rows, type Row } from './schema/rows.js';
import { edit } from './write-back/edit.js';

/** A step below a row of the schema: a key of a map, or a place in a list. */
type Below = string | number;

/**
 * The text with fields set, as `--set` of KubeEdge's tools and node jobs that change a configuration write them: paths
 * `modules.edgeHub.heartbeat`, `modules.edged.nodeLabels.zone`, `a.b[1].c`, in any spelling of their case; values as text, lists
 * as `{x,y}`, maps as `{k:v}`, texts in quotes or without. Read by the type that the field has, so a text of digits stays a text.
 * The whole result is checked.
 * @throws ConfigError `config.invalid` naming field and value, and what would be right
 */
export function setFields(text: string, fields: Readonly<Record<string, string>>, host: HostFacts): string {
  let current = text;
  for (const [path, value] of Object.entries(fields)) {
    const { row, below } = place(path);
    const change = { path: row.path, value: below.length === 0 ? read(row.field.shape, value, path) : changed(row, below, value, path, loadConfig(current, host).config) };
    const next = edit(current, [change]);
    if (next === undefined) throw wrong(path, value, 'it cannot be set: the file is not valid YAML, or holds something else at that place');
    current = next;
  }
  loadConfig(current, host);
  return current;
}

/** The row of the schema that a path belongs to, and what is below it. */
function place(path: string): { row: Row; below: Below[] } {
  const parts = path.split('.').flatMap((part) => part.split(/(?=\[\d+\])/).map((word): Below => (/^\[\d+\]$/.test(word) ? Number(word.slice(1, -1)) : word)));
  const wanted = parts.map((part) => String(part).toLowerCase());
  for (const row of rows()) {
    const names = row.path.toLowerCase().split('.');
    if (!names.every((name, i) => name === wanted[i])) continue;
    const below = parts.slice(names.length);
    const { kind } = row.field.shape;
    if (below.length === 0 || kind === 'map' || kind === 'list' || kind === 'object') return { row, below };
  }
  const similar = nearest(path, rows().map((row) => row.path));
  throw wrong(path, undefined, `there is no such field${similar === undefined ? '' : `; did you mean ${similar}?`}`);
}

/** The row's value with something below it set; lists grow by one at a time. */
function changed(row: Row, below: readonly Below[], value: string, path: string, config: unknown): unknown {
  const at = row.path.split('.').reduce<unknown>((node, key) => (node as Record<string, unknown> | undefined)?.[key], config);
  const put = (node: unknown, shape: Shape, [step, ...rest]: readonly Below[]): unknown => {
    if (step === undefined) return read(shape, value, path);
    if (shape.kind === 'list') {
      const list = [...((node as unknown[] | null | undefined) ?? [])];
      if (typeof step !== 'number' || step > list.length) throw wrong(path, undefined, `it is a list of ${list.length}: write [0] to [${list.length}]`);
      list[step] = put(list[step], shape.of, rest);
      return list;
    }
    const of = shape.kind === 'map' ? shape.of : shape.kind === 'object' && Object.hasOwn(shape.fields, step) ? shape.fields[String(step)] : undefined;
    if (of === undefined) throw wrong(path, undefined, 'there is nothing below that field');
    const object = (node as Record<string, unknown> | null | undefined) ?? {};
    return { ...object, [String(step)]: put(object[String(step)], of, rest) };
  };
  return put(at, row.field.shape, below);
}

function read(shape: Shape, text: string, path: string): unknown {
  const bare = /^(["'])(.*)\1$/s.exec(text.trim())?.[2] ?? text;
  switch (shape.kind) {
    case 'string':
    case 'duration':
      return bare;
    case 'bool':
      if (/^(true|false)$/i.test(bare.trim())) return bare.trim().toLowerCase() === 'true';
      throw wrong(path, text, 'should be true or false');
    case 'int':
    case 'float':
      if (bare.trim() !== '' && Number.isFinite(Number(bare))) return Number(bare);
      throw wrong(path, text, 'should be a number');
    case 'list':
      return items(text, path).map((item) => read(shape.of, item, path));
    case 'map':
      return Object.fromEntries(
        items(text, path).map((item) => {
          const [, key, value] = /^([^:]+):(.*)$/s.exec(item) ?? [];
          if (key === undefined || value === undefined) throw wrong(path, text, 'should be {key:value,...}');
          return [key.trim(), read(shape.of, value.trim(), path)];
        }),
      );
    case 'object':
      throw wrong(path, text, 'should be set one field at a time');
  }
}

function items(text: string, path: string): string[] {
  const inside = /^[{[](.*)[}\]]$/s.exec(text.trim())?.[1];
  if (inside === undefined) throw wrong(path, text, 'should be in braces, as {x,y}');
  return inside.trim() === '' ? [] : inside.split(',').map((item) => item.trim());
}

function wrong(path: string, value: string | undefined, expected: string): ConfigError {
  const row = rows().find((one) => one.path.toLowerCase() === path.toLowerCase());
  return new ConfigError('config.invalid', [{ kind: 'value', path, ...(value === undefined ? {} : { value: row?.field.secret ? '***' : JSON.stringify(value.slice(0, 80)) }), expected }]);
}
