import type { Connection } from '../driver/connection.js';
import { readText } from '../query.js';
import { quote } from '../schema/ddl.js';

const STEP = 200;

/**
 * Removes rows whose text is not text, and returns their number. A long value lies on pages that SQLite cannot check:
 * where such a page is damaged, the value has zeros or bytes that are no UTF-8 in it, and its owner is better off
 * without the row, because the cloud sends what is missing.
 */
export function removeGarbage(connection: Connection, table: string, columns: readonly string[]): number {
  const name = quote(table);
  let removed = 0;
  for (const column of columns.map(quote)) {
    const bytes = readText(column);
    removed += connection.prepare(`DELETE FROM main.${name} WHERE typeof(${column}) = 'text' AND instr(${bytes}, x'00') > 0`).run().changes;
    const next = connection.prepare(
      `SELECT CAST(rowid AS REAL) AS number, ${bytes} AS text FROM main.${name} WHERE rowid > ?1 AND typeof(${column}) = 'text' ORDER BY rowid LIMIT ${STEP}`,
    );
    // Decoding replaces what is no UTF-8, so that encoding again gives other bytes.
    const remove = connection.prepare(`DELETE FROM main.${name} WHERE rowid = ?1 AND ${bytes} <> CAST(?2 AS BLOB)`);
    for (let rows = next.all([0]); rows.length > 0; rows = next.all([rows.at(-1)?.['number'] ?? 0])) {
      for (const row of rows) {
        const text = row['text'];
        if (typeof text === 'string' && text.includes('\ufffd')) removed += remove.run([row['number'] ?? 0, text]).changes;
      }
    }
  }
  return removed;
}
