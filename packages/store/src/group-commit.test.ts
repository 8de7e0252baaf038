import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Connection } from './driver/connection.js';
import { availableDrivers, loadDriver, type DriverName } from './driver/load.js';
import { GroupCommit } from './group-commit.js';

describe.each(availableDrivers())('group commit, through %s', (driver: DriverName) => {
  const folders: string[] = [];
  const connections: Connection[] = [];
  afterEach(() => {
    for (const connection of connections.splice(0)) connection.close();
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  });

  function make(limits = { units: 1000, characters: 1_000_000 }) {
    const folder = mkdtempSync(join(tmpdir(), 'edge-group-'));
    folders.push(folder);
    const path = join(folder, 'group.db');
    const [connection, reader] = [loadDriver(driver).open(path), loadDriver(driver).open(path)];
    connections.push(connection, reader);
    connection.prepare('PRAGMA journal_mode=WAL').all();
    connection.exec('PRAGMA foreign_keys=ON');
    connection.exec('CREATE TABLE t (n integer)');
    connection.exec('CREATE TABLE parent (id integer PRIMARY KEY)');
    connection.exec('CREATE TABLE child (id integer REFERENCES parent(id) DEFERRABLE INITIALLY DEFERRED)');
    const commits = new GroupCommit({ connection, limits });
    const insert = connection.prepare('INSERT INTO t VALUES (?1)');
    const orphan = connection.prepare('INSERT INTO child VALUES (?1)');
    const durable = (): number => Number(reader.prepare('SELECT count(*) AS n FROM t').get()?.['n']);
    return { connection, commits, insert, orphan, durable };
  }

  it('[store-8.1] writes units of one turn together, and none before the turn ends', async () => {
    const { commits, insert, durable } = make();
    const units = [1, 2, 3].map((n) => commits.run(() => insert.run([n])));
    await Promise.resolve();
    expect(durable()).toBe(0);
    await units[0];
    expect(durable()).toBe(3);
    await Promise.all(units);
  });

  it('[store-8.2] writes at once when a group reaches its limit of units or characters', async () => {
    const { commits, insert, durable } = make({ units: 10, characters: 100 });
    const units = Array.from({ length: 25 }, (_, n) => commits.run(() => insert.run([n])));
    expect(durable()).toBe(18);
    units.push(
      commits.run(() => {
        commits.wrote(100);
        return insert.run([99]);
      }),
    );
    expect(durable()).toBe(26);
    await Promise.all(units);
  });

  it('[store-8.3] rejects every unit of a group whose commit fails, and goes on with the next group', async () => {
    const { commits, insert, orphan, durable, connection } = make();
    // A reference into nowhere is checked by COMMIT itself.
    const results = await Promise.allSettled([
      commits.run(() => insert.run([1])),
      commits.run(() => orphan.run([7])),
      commits.run(() => insert.run([2])),
      commits.flush(),
    ]);
    expect(results.map((result) => result.status)).toEqual(['rejected', 'rejected', 'rejected', 'rejected']);
    expect(durable()).toBe(0);
    expect(connection.inTransaction).toBe(false);
    await commits.run(() => insert.run([3]));
    expect(durable()).toBe(1);
  });

  it('[store-8.4] tells all units of a group when the database gave up their transaction', async () => {
    const { commits, insert, connection, durable } = make();
    const first = commits.run(() => insert.run([1]));
    const second = commits.run(() => {
      insert.run([2]);
      // What SQLite does by itself in the midst of a unit when the disk is full.
      connection.exec('ROLLBACK');
      throw new Error('disk full');
    });
    const results = await Promise.allSettled([first, second]);
    expect(results[0]).toMatchObject({ status: 'rejected', reason: { code: 'store.commit-lost' } });
    expect(results[1]).toMatchObject({ status: 'rejected', reason: { message: 'disk full' } });
    expect(connection.inTransaction).toBe(false);
    await commits.run(() => insert.run([3]));
    expect(durable()).toBe(1);
  });

  it('[store-8.5] keeps no timer and no transaction when there is nothing to write', async () => {
    const { commits, connection } = make();
    await commits.flush();
    commits.commitNow();
    await expect(
      commits.run(() => {
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    await commits.flush();
    expect(connection.inTransaction).toBe(false);
  });
});
