import { connect, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { TestServer } from './helpers.js';

const WATCHERS = 2_000;
const SLOW = 5;
const CHANGES = 5;
const MAPS = '/api/v1/namespaces/default/configmaps';

async function until(check: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 6_000 && !check(); i += 1) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(check(), what).toBe(true);
}

/** A watch that counts its events, or never reads a byte. */
function watch(server: TestServer, query: string, onEvents: ((count: number) => void) | undefined): Socket {
  const socket = connect(server.port, '127.0.0.1');
  socket.on('error', () => undefined);
  if (onEvents === undefined) socket.pause();
  // Small events come whole: each is written at once.
  else socket.on('data', (chunk: Buffer) => onEvents(chunk.toString('latin1').split('{"type":').length - 1));
  socket.write(`GET ${MAPS}?watch=1&${query} HTTP/1.1\r\nHost: x\r\n\r\n`);
  return socket;
}

it(`[kubeapi-8.9] of ${WATCHERS} watchers the ${SLOW} that never read are cut off with little waiting for them, all others see each change`, async () => {
  await using server = await TestServer.start({ watchBufferBytes: 512 * 1024 });
  const maps = server.api.resource('v1', 'configmaps');
  await maps.create({ metadata: { name: 'shared', namespace: 'default' } });
  const from = `resourceVersion=${server.store.resourceVersion}`;
  const seen = Array.from({ length: WATCHERS - SLOW }, () => 0);
  const sockets: Socket[] = [];
  try {
    for (let i = 0; i < SLOW; i += 1) sockets.push(watch(server, from, undefined));
    for (let i = 0; i < seen.length; i += 1) {
      sockets.push(watch(server, `${from}&fieldSelector=metadata.name%3Dshared`, (count) => { seen[i] = (seen[i] as number) + count; }));
      // A listener takes only so many that wait.
      if (i % 200 === 199) await until(() => server.server.watches === i + 1 + SLOW, 'the watches so far are open');
    }
    await until(() => server.server.watches === WATCHERS, 'all watches are open');
    const change = async (i: number): Promise<void> => void (await maps.patch('shared', 'default', { type: 'merge', body: { data: { i: String(i) } } }));
    for (let i = 1; i < CHANGES; i += 1) await change(i);
    let written = 0;
    for (; written < 300 && server.server.watches > WATCHERS - SLOW; written += 1) {
      await maps.create({ metadata: { name: `big-${written}`, namespace: 'default' }, data: { text: 'x'.repeat(100_000) } });
      await new Promise((resolve) => setImmediate(resolve));
    }
    // What the kernel takes for a connection comes on top of the limit.
    expect(written).toBeLessThan(300);
    expect(server.server.watches).toBe(WATCHERS - SLOW);
    await change(CHANGES);
    await until(() => seen.every((count) => count === CHANGES), 'everybody else has seen each change');
    expect(server.server.watches).toBe(WATCHERS - SLOW);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}, 120_000);
