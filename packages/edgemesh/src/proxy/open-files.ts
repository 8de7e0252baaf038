import { readFile } from 'node:fs/promises';

/** Of the files that the process may have open, this share is for connections that it carries; the rest is for all else that it does. */
const SHARE = 0.9;

/** How many connections fit, with two files each, into what the system lets this process open; undefined where it does not tell. */
export async function connectionsThatFit(limits: () => Promise<string> = () => readFile('/proc/self/limits', 'utf8')): Promise<number | undefined> {
  const found = /^Max open files\s+(\d+)/m.exec(await limits().catch(() => ''))?.[1];
  return found === undefined ? undefined : Math.floor((Number(found) * SHARE) / 2);
}
