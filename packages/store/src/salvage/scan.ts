import type { Connection, Statement } from '../driver/connection.js';
import { quote } from '../schema/ddl.js';

/** Rows that one statement copies as long as all is well. */
const STEP = 500;
/** Width of the gap that is searched when one side of the damage has no readable end. */
const WIDEST_GAP = 50_000;
/** Failing reads in a row before the rest of a gap is given up; a fraction of a second per table. */
const PATIENCE = 2000;

/** How far a walk from one end came, and whether it met damage. */
interface Walk {
  /** Last row number reached; undefined when not even the first could be read. */
  readonly at: number | undefined;
  readonly whole: boolean;
}

/**
 * Copies the rows of `damaged.<table>` that can be read into the table of the same name, and returns their number.
 * Values go from file to file inside SQLite, so nothing about them changes. Every row lies in one leaf of the table's
 * tree: reading from both ends up to the damage, and then trying the row numbers in between, reaches all whole leaves.
 */
export function copyRows(connection: Connection, table: string, columns: readonly string[]): number {
  return new TableScan(connection, table, columns).run();
}

class TableScan {
  readonly #connection: Connection;
  readonly #name: string;
  readonly #insert: Statement;
  #kept = 0;
  #patience = PATIENCE;

  constructor(connection: Connection, table: string, columns: readonly string[]) {
    this.#connection = connection;
    this.#name = quote(table);
    const list = columns.map(quote).join(',');
    this.#insert = connection.prepare(
      `INSERT OR REPLACE INTO main.${this.#name} (${list}) SELECT ${list} FROM damaged.${this.#name} NOT INDEXED WHERE rowid >= ?1 AND rowid <= ?2`,
    );
  }

  run(): number {
    const forward = this.#walk('ASC');
    if (forward.whole) return this.#kept;
    const backward = this.#walk('DESC');
    const low = forward.at !== undefined ? forward.at + 1 : Math.max(1, (backward.at ?? 0) - WIDEST_GAP);
    const high = backward.at !== undefined ? backward.at - 1 : low + WIDEST_GAP;
    this.#copy(low, high);
    return this.#kept;
  }

  /** Goes inward from one end, in steps that shrink before the damage. */
  #walk(order: 'ASC' | 'DESC'): Walk {
    let at: number | undefined;
    for (let rows = STEP; ; ) {
      let step: readonly number[];
      try {
        step = this.#rowNumbers(order, at, rows);
      } catch {
        if (rows === 1) return { at, whole: false };
        rows = Math.ceil(rows / 8);
        continue;
      }
      const first = step[0];
      const last = step.at(-1);
      if (first === undefined || last === undefined) return { at, whole: true };
      // Damaged pages can lead in circles.
      if (at !== undefined && (order === 'ASC' ? last <= at : last >= at)) return { at, whole: false };
      this.#copy(Math.min(first, last), Math.max(first, last));
      at = last;
    }
  }

  #rowNumbers(order: 'ASC' | 'DESC', from: number | undefined, rows: number): number[] {
    const beyond = from === undefined ? '' : `WHERE rowid ${order === 'ASC' ? '>' : '<'} ${from}`;
    const sql = `SELECT CAST(rowid AS REAL) AS number FROM damaged.${this.#name} NOT INDEXED ${beyond} ORDER BY rowid ${order} LIMIT ${rows}`;
    return this.#connection
      .prepare(sql)
      .all()
      .map((row) => Number(row['number']));
  }

  /**
   * Copies a range. When something in it is unreadable, halves it until only that is left out; large parts first, so
   * that patience is spent where most can be had.
   */
  #copy(low: number, high: number): void {
    const ranges: (readonly [low: number, high: number])[] = [[low, high]];
    for (let index = 0; index < ranges.length && this.#patience > 0; index++) {
      const [from, to] = ranges[index] as readonly [number, number];
      if (from > to) continue;
      try {
        const copied = this.#insert.run([from, to]).changes;
        this.#kept += copied;
        if (copied > 0) this.#patience = PATIENCE;
      } catch {
        this.#patience--;
        const middle = from + Math.floor((to - from) / 2);
        if (from < to) ranges.push([from, middle], [middle + 1, to]);
      }
    }
  }
}
