import { createServer } from 'node:net';

/**
 * Where ports for tests are looked for. Below what Linux gives to outgoing connections (32768 on), so that no
 * connection takes a port between its choice and its use, and beside the ports that the programs use by themselves.
 */
const FIRST = 11_000;
const LAST = 26_000;

/** A port of the loopback on which nobody listens at the moment; two test processes hardly ever get the same. */
export async function freePort(): Promise<number> {
  return freePorts(1);
}

/** The first of `count` such ports in a row. */
export async function freePorts(count: number): Promise<number> {
  for (let tries = 0; tries < 100; tries += 1) {
    const first = FIRST + Math.floor(Math.random() * (LAST - FIRST - count));
    const free = await Promise.all(Array.from({ length: count }, (_, index) => isFree(first + index)));
    if (!free.includes(false)) return first;
  }
  throw new Error(`no ${count} free ports in a row between ${FIRST} and ${LAST} after 100 tries`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
