import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Connection } from './connection.js';
import { availableDrivers, loadDriver } from './load.js';

describe.each(availableDrivers())('driver %s', (name) => {
  const folder = mkdtempSync(join(tmpdir(), 'edge-driver-'));
  let connection: Connection | undefined;
  afterEach(() => {
    connection?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('[store-12.1] binds by position, gives changes and row numbers, and reads all kinds of values', () => {
    connection = loadDriver(name).open();
    connection.exec('CREATE TABLE t (id integer PRIMARY KEY, a)');
    const insert = connection.prepare('INSERT INTO t (a) VALUES (?1)');
    expect(['x', 1, 1.5, null].map((value) => insert.run([value]))).toEqual([1, 2, 3, 4].map((lastId) => ({ changes: 1, lastId })));
    expect(connection.prepare('SELECT a FROM t ORDER BY id').all().map((row) => row['a'])).toEqual(['x', 1, 1.5, null]);
    expect(connection.prepare('SELECT ?2 AS b, ?1 AS a').get(['one', 2])).toMatchObject({ a: 'one', b: 2 });
    expect(connection.prepare('SELECT a FROM t WHERE id = 99').get()).toBeUndefined();
    expect(connection.prepare("SELECT CAST('ü' AS BLOB) AS a").get()?.['a']).toBe('ü');
    expect(connection.prepare("SELECT CAST('ü' AS BLOB) AS a").all()[0]?.['a']).toBe('ü');
  });

  it('[store-12.2] reads bytes that are no UTF-8 as replacement characters', () => {
    connection = loadDriver(name).open();
    expect(connection.prepare("SELECT CAST(CAST(x'61ff62' AS TEXT) AS BLOB) AS a").get()?.['a']).toBe('a\ufffdb');
  });

  it('[store-12.3] gives typed errors that name the file', () => {
    expect(() => loadDriver(name).open(join(folder, 'no', 'such.db'))).toThrow(expect.objectContaining({ code: 'store.cannot-open' }));
    connection = loadDriver(name).open();
    expect(() => connection?.exec('nonsense')).toThrow(expect.objectContaining({ code: 'store.sql' }));
    connection.exec('CREATE TABLE t (a PRIMARY KEY); INSERT INTO t VALUES (1)');
    expect(() => connection?.exec('INSERT INTO t VALUES (1)')).toThrow(/UNIQUE/);
  });

  it('[store-12.4] knows whether a transaction is open, and refuses work after close', () => {
    connection = loadDriver(name).open();
    const statement = connection.prepare('SELECT 1 AS a');
    expect(connection.inTransaction).toBe(false);
    connection.exec('BEGIN');
    expect(connection.inTransaction).toBe(true);
    connection.exec('ROLLBACK');
    connection.close();
    connection.close();
    expect(() => statement.get()).toThrow();
  });
});
