import { errorCode, errorText } from '@edge/core';
import type { Connection, Driver } from '../driver/connection.js';
import { databaseUrl } from '../driver/url.js';

/**
 * What is wrong with the database at `path`, in words; undefined when it is sound. A transaction that was cut off is
 * finished or undone first, as on any open. `thorough` compares the indexes with their tables as well.
 * The file is attached and detached, so that nothing holds it afterwards.
 */
export function findDamage(driver: Driver, path: string, options: { thorough: boolean; busyTimeout: number }): string | undefined {
  const connection = driver.open();
  try {
    connection.exec(`PRAGMA busy_timeout=${options.busyTimeout}`);
    connection.prepare('ATTACH ?1 AS checked').run([databaseUrl(path, 'rw')]);
    const pragma = options.thorough ? 'integrity_check' : 'quick_check';
    const lines = connection.prepare(`PRAGMA checked.${pragma}(5)`).all().map((row) => String(row[pragma]));
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
