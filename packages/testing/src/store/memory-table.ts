import { type Column, EdgeError, type ReadOptions, type Table, type TableSpec, type Where } from '@edge/core';

type Cells = Record<string, Column>;

/** A table in memory that answers as one in SQLite: same order, same empty values, same errors. */
export class MemoryTable<Row extends object> implements Table<Row> {
  readonly spec: TableSpec<Row>;
  readonly #rows = new Map<string, Cells>();
  readonly #columns: readonly (readonly [name: string, type: string])[];
  readonly #wrote: (undo: () => void) => void;
  #lastNumber = 0;

  /** @param wrote is told how to undo each write, and throws when writing is not allowed now */
  constructor(spec: TableSpec<Row>, wrote: (undo: () => void) => void) {
    this.spec = spec;
    this.#columns = Object.entries<string>(spec.columns);
    this.#wrote = wrote;
  }

  get(key: Partial<Row>): Row | undefined {
    const missing = this.spec.key.filter((name) => key[name] === undefined);
    if (missing.length > 0) throw new EdgeError('store.bad-key', `the key of ${this.spec.name} lacks ${missing.join(', ')}`);
    return this.all(key as Where<Row>)[0];
  }

  all(where?: Where<Row>, options: ReadOptions<Row> = {}): Row[] {
    const order = options.orderBy ?? this.spec.key;
    for (const name of order) this.#type(name);
    const sign = options.descending === true ? -1 : 1;
    const rows = this.#matching(where).sort((a, b) => sign * compareBy(order, a, b));
    return rows.slice(0, options.limit === undefined ? undefined : Math.max(0, Math.trunc(options.limit))).map((row) => ({ ...row }) as Row);
  }

  count(where?: Where<Row>): number {
    return this.#matching(where).length;
  }

  put(row: Row): number {
    this.#wrote(() => undefined);
    const cells: Cells = {};
    for (const [name, type] of this.#columns) {
      cells[name] = encode((row as Cells)[name], type, `${this.spec.name}.${name}`);
    }
    const numbered = this.spec.autoIncrement === true ? this.spec.key[0] : undefined;
    if (numbered !== undefined) {
      if (cells[numbered] === 0) cells[numbered] = this.#lastNumber + 1;
      this.#lastNumber = Math.max(this.#lastNumber, Number(cells[numbered]));
    }
    this.#set(this.#keyOf(cells), cells);
    return numbered === undefined ? 0 : Number(cells[numbered]);
  }

  remove(where: Where<Row>): number {
    this.#wrote(() => undefined);
    const rows = this.#matching(where);
    for (const row of rows) this.#set(this.#keyOf(row), undefined);
    return rows.length;
  }

  #set(key: string, cells: Cells | undefined): void {
    const before = this.#rows.get(key);
    this.#wrote(() => (before === undefined ? this.#rows.delete(key) : this.#rows.set(key, before)));
    if (cells === undefined) this.#rows.delete(key);
    else this.#rows.set(key, cells);
  }

  #keyOf(cells: Cells): string {
    return JSON.stringify(this.spec.key.map((name) => cells[name]));
  }

  #matching(where: Where<Row> = {}): Cells[] {
    const tests = Object.entries<unknown>(where).map(([name, wanted]) => {
      const type = this.#type(name);
      if (wanted === undefined) throw new EdgeError('store.bad-where', `the condition on ${this.spec.name}.${name} is undefined`);
      const wantedValues: readonly unknown[] = Array.isArray(wanted) ? wanted : [wanted];
      const values = new Set(wantedValues.map((value) => encode(value as Column, type, `${this.spec.name}.${name}`)));
      return (row: Cells) => values.has(row[name] ?? null);
    });
    return [...this.#rows.values()].filter((row) => tests.every((test) => test(row)));
  }

  #type(name: string): string {
    const column = this.#columns.find(([known]) => known === name);
    if (column === undefined) throw new EdgeError('store.bad-where', `table ${this.spec.name} has no column ${name}`);
    return column[1];
  }
}

/** As SQLite: numbers before text, text by code points. */
function compareBy(columns: readonly string[], a: Cells, b: Cells): number {
  for (const name of columns) {
    const left = a[name] ?? null;
    const right = b[name] ?? null;
    const order =
      typeof left === 'number' && typeof right === 'number'
        ? left - right
        : typeof left === 'string' && typeof right === 'string'
          ? Buffer.compare(Buffer.from(left), Buffer.from(right))
          : rank(left) - rank(right);
    if (order !== 0) return order;
  }
  return 0;
}

function rank(value: Column): number {
  return value === null ? 0 : typeof value === 'number' ? 1 : 2;
}

function encode(value: Column | undefined, declaredType: string, where: string): Column {
  const type = declaredType.toLowerCase();
  const text = /char|clob|text/.test(type) && !type.includes('int');
  const any = !text && (type === '' || type === 'any' || type.includes('blob'));
  if (value === null || value === undefined) return text ? '' : any ? null : 0;
  if (typeof value === 'string' && (text || any)) return value;
  if (typeof value === 'number' && Number.isFinite(value)) return text ? String(value) : value;
  if (typeof value === 'boolean' && !text && !any) return value ? 1 : 0;
  throw new EdgeError('store.bad-value', `${where} must be ${text ? 'text' : 'a number'}, not ${typeof value} ${String(value).slice(0, 80)}`);
}
