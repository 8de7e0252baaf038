import { errorCode, errorText } from '@edge/core';
import type { Connection, Driver } from '../driver/connection.js';
import { databaseUrl } from '../driver/url.js';
import { readText } from '../query.js';

export interface CheckOptions {
  /** Compare the indexes with their tables as well. */
  readonly thorough: boolean;
  /** Milliseconds to wait for another process. */
  readonly busyTimeout: number;
}

/**
 * What is wrong with the database at `path`, in words; undefined when it is sound. The file is left as it is, unless a
 * transaction that was cut off must be undone before anything can be read.
 */
export function findDamage(driver: Driver, path: string, options: CheckOptions): string | undefined {
  try {
    return check(driver, databaseUrl(path, 'ro'), options);
  } catch (error) {
    if (errorCode(error) !== 'store.read-only' && errorCode(error) !== 'store.cannot-open') throw error;
    return check(driver, databaseUrl(path, 'rw'), options);
  }
}

/** Attached to a database in memory and detached again, so that nothing holds the file afterwards. */
function check(driver: Driver, url: string, options: CheckOptions): string | undefined {
  const connection = driver.open();
  try {
    connection.exec(`PRAGMA busy_timeout=${options.busyTimeout}`);
    connection.prepare('ATTACH ?1 AS checked').run([url]);
    const pragma = options.thorough ? 'integrity_check' : 'quick_check';
    const lines = connection
      .prepare(`SELECT ${readText(pragma)} AS line FROM pragma_${pragma}(NULL, 'checked') LIMIT 5`)
      .all()
      .map((row) => String(row['line']));
    return lines.length === 1 && lines[0] === 'ok' ? undefined : lines.join('; ');
  } catch (error) {
    if (errorCode(error) === 'store.corrupt') return errorText(error instanceof Error ? (error.cause ?? error) : error);
    throw error;
  } finally {
    detach(connection);
    connection.close();
  }
}

function detach(connection: Connection): void {
  try {
    connection.exec('DETACH checked');
  } catch {
    // It never got as far as being attached.
  }
}
