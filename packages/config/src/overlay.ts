import type { ConfigProblem } from './errors.js';
import type { HostFacts } from './host.js';
import { decode, DecodeError } from './decode.js';
import type { Report } from './report.js';
import type { AnyField, Section } from './schema/field.js';
import { didYouMean, unknownKeyMessage } from './unknown-key.js';
import type { Raw, RawEntry } from './yaml/raw.js';

export type Data = Record<string, unknown>;

export interface Overlaid {
  /** The defaults with the file's values over them. A value of the wrong type leaves the default. */
  readonly data: Data;
  /** Path of every key the file sets → its line. */
  readonly lines: ReadonlyMap<string, number>;
}

/** Lays what the file says over the defaults, by the rules of Go's JSON decoder (see the notes in docs/parity/config.md). */
export function overlay(root: Section, raw: Raw | undefined, host: HostFacts, report: Report): Overlaid {
  const lines = new Map<string, number>();
  const walker = new Walker({ host, report, lines });
  return { data: walker.section(root, raw === undefined ? [] : [{ key: '', line: raw.line, value: raw }], ''), lines };
}

/** The default of one row. */
export function defaultOf(row: AnyField, host: HostFacts): unknown {
  const value: unknown = row.default;
  return typeof value === 'function' ? (value as (host: HostFacts) => unknown)(host) : value;
}

class Walker {
  readonly #host: HostFacts;
  readonly #report: Report;
  readonly #lines: Map<string, number>;

  constructor(deps: { host: HostFacts; report: Report; lines: Map<string, number> }) {
    this.#host = deps.host;
    this.#report = deps.report;
    this.#lines = deps.lines;
  }

  /** More than one source when a key stands there in two spellings: structs then merge. */
  section(section: Section, sources: readonly RawEntry[], path: string): Data {
    const given = this.#given(section, sources, path);
    const data: Data = {};
    for (const [key, node] of Object.entries(section.fields)) {
      const entries = given.get(key) ?? [];
      const below = path === '' ? key : `${path}.${key}`;
      const value = node.node === 'section' ? this.section(node, entries, below) : this.#field(node, entries, below);
      if (value !== undefined) data[key] = value;
    }
    return data;
  }

  /** The file's entries by upstream's spelling of their keys, in the order Go would apply them: sorted by their own spelling. */
  #given(section: Section, sources: readonly RawEntry[], path: string): Map<string, RawEntry[]> {
    const given = new Map<string, RawEntry[]>();
    const byLowerCase = new Map(Object.keys(section.fields).map((key) => [key.toLowerCase(), key]));
    for (const source of sources) {
      for (const entry of [...this.#entriesOf(section, source, path)].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))) {
        const key = Object.hasOwn(section.fields, entry.key) ? entry.key : byLowerCase.get(entry.key.toLowerCase());
        if (key === undefined) {
          this.#unknown(section, entry, path);
          continue;
        }
        const same = given.get(key) ?? [];
        if (same.length > 0) this.#report.warn({ kind: 'duplicate-key', path: path === '' ? key : `${path}.${key}`, line: entry.line, message: 'is there in two spellings' });
        given.set(key, [...same, entry]);
      }
    }
    return given;
  }

  #entriesOf(section: Section, { line, value }: RawEntry, path: string): readonly RawEntry[] {
    if (value.kind === 'map') return value.entries;
    const isNull = value.kind === 'scalar' && value.value === null;
    if (isNull && (!section.pointer || path === '')) return [];
    const expected = isNull
      ? 'should be a section with keys below it; to keep the defaults leave it out, to switch a module off write "enable: false" below it'
      : 'should be a section: "key: value" lines, indented below it';
    this.#problem({ kind: 'type', path, line, value: isNull ? 'null' : value.kind === 'list' ? 'a list' : 'a single value', expected });
    return [];
  }

  #field(row: AnyField, entries: readonly RawEntry[], path: string): unknown {
    let value = defaultOf(row, this.#host);
    for (const entry of entries) {
      this.#lines.set(path, entry.line);
      if (row.secret && entry.value.kind === 'scalar') this.#report.secrets.add(entry.value.text);
      try {
        value = decode(row.shape, entry.value, value, row.nullable, (below, key, line, known) => {
          this.#report.warn({ kind: 'unknown-key', path: `${path}${below}.${key}`, line, message: didYouMean(key, known) });
        });
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
        const shown = row.secret ? '***' : error.value;
        this.#problem({ kind: 'type', path: error.path === '' ? path : `${path}${error.path}`, line: error.line, value: shown, expected: error.message });
      }
    }
    return value;
  }

  #unknown(section: Section, entry: RawEntry, path: string): void {
    const at = path === '' ? entry.key : `${path}.${entry.key}`;
    const message = this.#report.hasRoom ? unknownKeyMessage(section, entry.key, path) : '';
    this.#report.warn({ kind: 'unknown-key', path: at, line: entry.line, message });
  }

  #problem(problem: ConfigProblem): void {
    this.#report.problem(problem);
  }
}
