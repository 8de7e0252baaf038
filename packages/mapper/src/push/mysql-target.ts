import type { DBMethod } from '@edge/protocol/dmi';
import { MapperError, MapperErrors } from '../errors.js';
import { within } from '../time.js';
import { loadLibrary, type LoadLibrary } from './client-library.js';
import { localTime, PUSH_MS, type PushedValue, type PushTarget, type Secrets } from './push-target.js';

/** What is used of the package `mysql2`. */
interface MysqlLibrary {
  createPool(options: unknown): MysqlPool;
}
interface MysqlPool {
  query(sql: string, values?: readonly unknown[]): Promise<unknown>;
  end(): Promise<void>;
}

/** A row in a table per property, as mapper-framework makes it. Package `mysql2`; secret PASSWORD. */
export function mysqlTarget({ mysqlClientConfig: config }: NonNullable<DBMethod['mysql']>, secrets: Secrets, load: LoadLibrary = loadLibrary): PushTarget {
  if (!config) throw new MapperError(MapperErrors.pushFailed, 'mysql needs mysqlClientConfig');
  const [host = '', port = '3306'] = config.addr.split(':');
  let pool: Promise<MysqlPool> | undefined;
  const open = async (): Promise<MysqlPool> => {
    const { createPool } = (await load('mysql2/promise')) as MysqlLibrary;
    return createPool({ host, port: Number(port), user: config.userName, password: secrets['PASSWORD'] ?? '', database: config.database, connectionLimit: 2 });
  };
  const made = new Set<string>();
  return {
    async push(value, signal) {
      const { create, insert, values } = mysqlStatements(value);
      const late = (): MapperError => new MapperError(MapperErrors.pushFailed, `mysql ${config.addr} does not answer within ${PUSH_MS} ms`);
      await within(async () => {
        const database = await (pool ??= open());
        if (!made.has(create)) await database.query(create);
        made.add(create);
        await database.query(insert, values);
      }, PUSH_MS, signal, late).catch((error: unknown) => {
        if (error instanceof MapperError) throw error;
        throw new MapperError(MapperErrors.pushFailed, `mysql ${config.addr}`, { cause: error });
      });
    },
    async close() {
      await pool?.then((database) => database.end(), () => undefined);
    },
  };
}

export function mysqlStatements({ namespace, device, property, text, at }: PushedValue): { create: string; insert: string; values: readonly string[] } {
  const table = `\`${`${namespace}/${device}/${property}`.replaceAll('`', '``')}\``;
  return {
    create: `CREATE TABLE IF NOT EXISTS ${table} (id INT AUTO_INCREMENT PRIMARY KEY, ts DATETIME NOT NULL, field TEXT)`,
    insert: `INSERT INTO ${table} (ts, field) VALUES (?, ?)`,
    values: [localTime(at), text],
  };
}
