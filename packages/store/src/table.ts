import type { ReadOptions, Table, TableSpec, Where } from '@edge/core';
import type { Connection, SqlRow, SqlValue, Statement } from './driver/connection.js';
import { StoreError } from './errors.js';
import type { GroupCommit } from './group-commit.js';
import { condition, ordering, selectList, upsertSql } from './query.js';
import { quote } from './schema/ddl.js';
import type { ColumnKind } from './values.js';
import { columnKind, decodeValue, encodeValue } from './values.js';

/** A table of the file. Statements are prepared once per shape of question. */
export class SqliteTable<Row extends object> implements Table<Row> {
  readonly spec: TableSpec<Row>;
  readonly #connection: Connection;
  readonly #commits: GroupCommit;
  readonly #kinds: readonly (readonly [name: string, kind: ColumnKind])[];
  readonly #numbered: string | undefined;
  readonly #upsert: string;
  readonly #select: string;
  readonly #statements = new Map<string, Statement>();

  constructor(deps: { spec: TableSpec<Row>; connection: Connection; commits: GroupCommit; oldNames: ReadonlyMap<string, string> }) {
    this.spec = deps.spec;
    this.#connection = deps.connection;
    this.#commits = deps.commits;
    this.#kinds = Object.entries<string>(deps.spec.columns).map(([name, type]) => [name, columnKind(type)]);
    this.#numbered = deps.spec.autoIncrement === true ? deps.spec.key[0] : undefined;
    this.#upsert = upsertSql(deps.spec, deps.oldNames);
    this.#select = `SELECT ${selectList(deps.spec)} FROM ${quote(deps.spec.name)}`;
  }

  get(key: Partial<Row>): Row | undefined {
    const missing = this.spec.key.filter((name) => key[name] === undefined);
    if (missing.length > 0) throw new StoreError('store.bad-key', `the key of ${this.spec.name} lacks ${missing.join(', ')}`);
    const { sql, parameters } = condition(this.spec, key as Where<Row>);
    const row = this.#statement(this.#select + sql).get(parameters);
    return row === undefined ? undefined : this.#decode(row);
  }

  all(where?: Where<Row>, options?: ReadOptions<Row>): Row[] {
    const { sql, parameters } = condition(this.spec, where);
    const rows = this.#statement(this.#select + sql + ordering(this.spec, options)).all(parameters);
    return rows.map((row) => this.#decode(row));
  }

  count(where?: Where<Row>): number {
    const { sql, parameters } = condition(this.spec, where);
    return Number(this.#statement(`SELECT count(*) AS n FROM ${quote(this.spec.name)}${sql}`).get(parameters)?.['n'] ?? 0);
  }

  put(row: Row): number {
    this.#mustBeInUnit();
    let characters = 0;
    const values = this.#kinds.map(([name, kind]): SqlValue => {
      const value = encodeValue((row as Record<string, SqlValue | undefined>)[name], kind, `${this.spec.name}.${name}`);
      if (typeof value === 'string') characters += value.length;
      return name === this.#numbered && value === 0 ? null : value;
    });
    this.#commits.wrote(characters);
    const { lastId } = this.#statement(this.#upsert).run(values);
    if (this.#numbered === undefined) return 0;
    const given = values[this.#kinds.findIndex(([name]) => name === this.#numbered)];
    return typeof given === 'number' ? given : lastId;
  }

  remove(where: Where<Row>): number {
    this.#mustBeInUnit();
    const { sql, parameters } = condition(this.spec, where);
    return this.#statement(`DELETE FROM ${quote(this.spec.name)}${sql}`).run(parameters).changes;
  }

  #mustBeInUnit(): void {
    if (this.#commits.inUnit) return;
    throw new StoreError('store.no-commit', `a write to ${this.spec.name} outside commit`);
  }

  #decode(row: SqlRow): Row {
    const decoded: Record<string, SqlValue> = {};
    for (const [name, kind] of this.#kinds) decoded[name] = decodeValue(row[name], kind);
    return decoded as Row;
  }

  #statement(sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#connection.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}
