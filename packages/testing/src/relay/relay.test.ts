import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { createRelay } from './relay.js';

async function echoServer(): Promise<{ port: number; close: () => void }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

it('[relay-1.1] passes bytes, swallows them when stalled, breaks them when garbled, and resets', async () => {
  const echo = await echoServer();
  await using relay = await createRelay(echo.port);
  const client = connect(relay.port, '127.0.0.1');
  client.on('error', () => undefined);
  client.write('one');
  expect(String((await once(client, 'data'))[0])).toBe('one');
  relay.set('drop');
  client.write('late');
  const nothing = await Promise.race([once(client, 'data'), new Promise((resolve) => setTimeout(() => resolve('nothing'), 50))]);
  expect(nothing).toBe('nothing');
  relay.set('open');
  expect(String((await once(client, 'data'))[0])).toBe('late');
  relay.set('garble');
  client.write('two');
  expect(String((await once(client, 'data'))[0])).not.toBe('two');
  relay.set('stall');
  client.write('three');
  const silent = await Promise.race([once(client, 'data'), new Promise((resolve) => setTimeout(() => resolve('silent'), 50))]);
  expect(silent).toBe('silent');
  relay.set('open');
  const next = connect(relay.port, '127.0.0.1');
  next.write('four');
  expect(String((await once(next, 'data'))[0])).toBe('four');
  next.on('error', () => undefined);
  relay.reset();
  await new Promise((resolve) => next.once('close', resolve));
  client.destroy();
  echo.close();
});
