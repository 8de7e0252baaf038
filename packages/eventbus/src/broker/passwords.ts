import { createHash, pbkdf2, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { eventBusError } from '../errors.js';

const KEY_BYTES = 32;
const COST = 16_384;
/** Memory of one check: a kilobyte for each unit of cost, and a little. */
const MAX_MEMORY = 256 * 1024 * 1024;
/** What scrypt takes: powers of two, and what fits into that memory. */
const COSTS: readonly number[] = Array.from({ length: 17 }, (_, at) => 2 ** (at + 1));

/** A line's second half for the file of users: `$scrypt$<cost>$<salt>$<hash>`, base64. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const key = await derive(password, salt, COST);
  return `$scrypt$${COST}$${salt.toString('base64')}$${key.toString('base64')}`;
}

/** True when the password is the one that was hashed; besides ours, hashes of `mosquitto_passwd` (`$6$` and `$7$`) are read. */
export async function passwordFits(hash: string, password: string): Promise<boolean> {
  const [, kind, ...parts] = hash.split('$');
  const last = Buffer.from(parts.at(-1) ?? '', 'base64');
  const salt = Buffer.from(parts.at(-2) ?? '', 'base64');
  switch (kind) {
    case 'scrypt':
      return same(last, await derive(password, salt, Number(parts[0])));
    case '7':
      return same(last, await promisify(pbkdf2)(password, salt, Number(parts[0]), last.length, 'sha512'));
    case '6':
      return same(last, createHash('sha512').update(password).update(salt).digest());
    default:
      return false;
  }
}

const HASH = /^(\$scrypt\$\d{1,7}\$[\w+/=]+\$[\w+/=]+|\$7\$\d{1,7}\$[\w+/=]+\$[\w+/=]+|\$6\$[\w+/=]+\$[\w+/=]+)$/;

/**
 * Reads a file of users: a line each, `name:hash`; empty lines and those that begin with `#` do not count.
 * @throws EdgeError `eventbus.bad-file` naming file and line, never the hash
 */
export function parseUsers(file: string, text: string): ReadonlyMap<string, string> {
  const users = new Map<string, string>();
  for (const [at, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const colon = line.indexOf(':');
    const hash = line.slice(colon + 1).trim();
    if (colon < 1 || !HASH.test(hash)) {
      throw eventBusError('eventbus.bad-file', `${file}, line ${at + 1} is not name:hash; mosquitto_passwd writes such files, plain passwords are not taken`);
    }
    const [, kind, cost] = hash.split('$');
    if (kind === 'scrypt' && !COSTS.includes(Number(cost))) {
      throw eventBusError('eventbus.bad-file', `${file}, line ${at + 1} has a scrypt hash of the cost ${cost ?? ''}, it must be a power of two from ${COSTS[0] ?? ''} to ${COSTS.at(-1) ?? ''}`);
    }
    if (kind === '7' && Number(cost) < 1) throw eventBusError('eventbus.bad-file', `${file}, line ${at + 1} has a $7$ hash of ${cost ?? ''} rounds, it must be 1 at least`);
    users.set(line.slice(0, colon), hash);
  }
  return users;
}

function derive(password: string, salt: Buffer, cost: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, KEY_BYTES, { N: cost, maxmem: MAX_MEMORY }, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
}

function same(one: Buffer, other: Buffer): boolean {
  return one.length > 0 && one.length === other.length && timingSafeEqual(one, other);
}
