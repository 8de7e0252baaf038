import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beginning } from './host.js';
import { removeLeftovers } from './leftovers.js';
import type { ContainerdPlace } from './settings.js';

// Short: the path of a unix socket has 107 characters at most, and shims add 70.
const PREFIX = 'ectd';
const PLACES = 200;

/** Takes a free place for this process. What earlier processes left when they were killed is removed first. */
export async function takePlace(): Promise<ContainerdPlace> {
  await removeAbandoned();
  const first = Math.floor(Math.random() * PLACES);
  for (let tried = 0; tried < PLACES; tried += 1) {
    const place = placeOf((first + tried) % PLACES);
    if (existsSync(`/sys/class/net/${place.name}`) || !tryMake(place.folder)) continue;
    writeFileSync(join(place.folder, 'owner'), `${process.pid} ${beginning(process.pid)}`);
    return place;
  }
  throw new Error(`all ${PLACES} places for test runtimes in ${tmpdir()} are taken`);
}

function placeOf(number: number): ContainerdPlace {
  const name = `${PREFIX}${number}`;
  return { folder: join(tmpdir(), name), number, name };
}

/** Making a folder succeeds for one process only: that is the claim. */
function tryMake(folder: string): boolean {
  try {
    mkdirSync(folder, { mode: 0o755 });
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw cause;
  }
}

async function removeAbandoned(): Promise<void> {
  for (const entry of readdirSync(tmpdir())) {
    const number = new RegExp(`^${PREFIX}(\\d+)$`).exec(entry)?.[1];
    if (number === undefined) continue;
    const place = placeOf(Number(number));
    if (isAbandoned(place.folder)) await removeLeftovers(place);
  }
}

function isAbandoned(folder: string): boolean {
  try {
    const [pid, since] = readFileSync(join(folder, 'owner'), 'utf8').split(' ');
    return beginning(Number(pid)) !== since;
  } catch {
    // Taken this moment by another process, or given up before it wrote its name.
    return existsSync(folder) && Date.now() - statSync(folder).mtimeMs > 60_000;
  }
}
