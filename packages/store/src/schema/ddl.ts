import type { TableSpec } from '@edge/core';

/** A name in backquotes, the way gorm writes it into the file. */
export function quote(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/**
 * The text of CREATE TABLE. SQLite keeps it in the file letter by letter and gorm compares it, so it must be gorm's:
 * one line, no spaces after commas.
 */
export function createTableSql<Row extends object>(spec: TableSpec<Row>): string {
  const numbered = spec.autoIncrement === true ? spec.key[0] : undefined;
  const columns = Object.entries<string>(spec.columns).map(
    ([name, type]) => `${quote(name)} ${type}${name === numbered ? ' PRIMARY KEY AUTOINCREMENT' : ''}`,
  );
  const key = numbered === undefined ? [`PRIMARY KEY (${spec.key.map(quote).join(',')})`] : [];
  return `CREATE TABLE ${quote(spec.name)} (${[...columns, ...key].join(',')})`;
}

export function addColumnSql(table: string, column: string, type: string): string {
  return `ALTER TABLE ${quote(table)} ADD ${quote(column)} ${type}`;
}
