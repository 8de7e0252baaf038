import { isAlias, isMap, isScalar, isSeq, type Node, type Pair, type Scalar, type YAMLMap } from 'yaml';
import type { Report } from '../report.js';
import { MAX_DEPTH, MAX_VALUES } from './limits.js';
import { plainScalar } from './plain-scalar.js';
import type { Raw, RawEntry } from './raw.js';

/** The document is too large or goes round in circles. */
export class RawLimitError extends Error {
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

const MERGE = '<<';

/** Turns the parser's tree into `Raw`. Aliases become shared nodes, so a document never grows; its written-out size is limited all the same. */
export class RawBuilder {
  readonly #lineOf: (offset: number) => number;
  readonly #report: Report;
  readonly #anchors = new Map<string, Raw | 'open'>();
  /** Number of values below a node when its aliases are written out. */
  readonly #sizes = new Map<Raw, number>();
  #merged = 0;

  constructor(deps: { lineOf: (offset: number) => number; report: Report }) {
    this.#lineOf = deps.lineOf;
    this.#report = deps.report;
  }

  build(node: Node): Raw {
    return this.#node(node, 1, 1);
  }

  #node(node: Node | null, nearLine: number, depth: number): Raw {
    const line = node?.range ? this.#lineOf(node.range[0]) : nearLine;
    if (depth > MAX_DEPTH) throw new RawLimitError(line, 'values are nested too deeply');
    if (isAlias(node)) return this.#alias(node.source, line);
    const anchor = (isMap(node) || isSeq(node) || isScalar(node)) && node.anchor ? node.anchor : undefined;
    if (anchor !== undefined) this.#anchors.set(anchor, 'open');
    const raw = this.#measured(this.#plain(node, line, depth));
    if (anchor !== undefined) this.#anchors.set(anchor, raw);
    return raw;
  }

  #alias(name: string, line: number): Raw {
    const target = this.#anchors.get(name);
    if (target === undefined) throw new RawLimitError(line, 'is not valid YAML: an alias (*name) has no anchor (&name) before it');
    if (target === 'open') throw new RawLimitError(line, 'is not valid YAML: an alias (*name) stands inside its own anchor (&name)');
    return target;
  }

  #plain(node: Node | null, line: number, depth: number): Raw {
    if (isMap(node)) return { kind: 'map', line, entries: this.#entries(node, line, depth) };
    if (isSeq(node)) return { kind: 'list', line, items: node.items.map((item) => this.#node(item as Node | null, line, depth + 1)) };
    if (isScalar(node)) return scalar(node, line);
    return { kind: 'scalar', line, value: null, text: '' };
  }

  #measured(raw: Raw): Raw {
    const children = raw.kind === 'map' ? raw.entries.map((entry) => entry.value) : raw.kind === 'list' ? raw.items : [];
    const size = children.reduce((sum, child) => sum + (this.#sizes.get(child) ?? 1), 1);
    if (size > MAX_VALUES) throw new RawLimitError(raw.line, `holds more than ${MAX_VALUES} values once its aliases are written out`);
    this.#sizes.set(raw, size);
    return raw;
  }

  /** Own keys go before merged ones; of two equal keys the later one counts, as upstream has it. */
  #entries(map: YAMLMap, mapLine: number, depth: number): readonly RawEntry[] {
    const own = new Map<string, RawEntry>();
    const merged = new Map<string, RawEntry>();
    for (const pair of map.items as Pair<Node | null, Node | null>[]) {
      const line = pair.key?.range ? this.#lineOf(pair.key.range[0]) : mapLine;
      const key = this.#key(pair.key, line, depth);
      const value = this.#node(pair.value, line, depth + 1);
      if (key === MERGE && isScalar(pair.key) && pair.key.type === 'PLAIN') {
        this.#merge(value, line, merged);
        continue;
      }
      if (own.has(key)) this.#report.warn({ kind: 'duplicate-key', path: '', line, message: `the key ${JSON.stringify(key)} is there twice; the later one counts` });
      own.set(key, { key, line, value });
    }
    return [...new Map([...merged, ...own]).values()];
  }

  #key(key: Node | null, line: number, depth: number): string {
    const raw = this.#node(key, line, depth + 1);
    if (raw.kind !== 'scalar') throw new RawLimitError(line, 'is not valid YAML: a key is a list or a section');
    return raw.text;
  }

  #merge(value: Raw, line: number, into: Map<string, RawEntry>): void {
    for (const source of value.kind === 'list' ? value.items : [value]) {
      if (source.kind !== 'map') throw new RawLimitError(line, 'is not valid YAML: << needs a section or a list of sections');
      this.#merged += source.entries.length;
      if (this.#merged > MAX_VALUES) throw new RawLimitError(line, `holds more than ${MAX_VALUES} values once its aliases are written out`);
      for (const entry of source.entries) if (!into.has(entry.key)) into.set(entry.key, entry);
    }
  }
}

const TYPED = new Set(['tag:yaml.org,2002:int', 'tag:yaml.org,2002:float', 'tag:yaml.org,2002:bool', 'tag:yaml.org,2002:null']);

function scalar(node: Scalar, line: number): Raw {
  const text = node.source ?? (typeof node.value === 'string' ? node.value : '');
  const plain = node.tag === undefined ? node.type === 'PLAIN' : TYPED.has(node.tag);
  return { kind: 'scalar', line, value: plain ? plainScalar(text) : text, text };
}
