import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { refuseUpgrade } from './refuse-upgrade.js';

it('[tunnel-5.5] a refused caller is told why, and does not keep the connection by keeping its side open', async () => {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true });
  client.on('error', () => undefined);
  const [socket] = (await once(server, 'connection')) as [Socket];
  let said = '';
  client.on('data', (bytes: Buffer) => (said += bytes.toString()));
  // Says more than anybody reads, and never closes.
  client.write(Buffer.alloc(4_000_000));
  refuseUpgrade(socket, 403, 'not you');
  await once(socket, 'close');
  expect(said).toMatch(/^HTTP\/1\.1 403 Refused\r\n[^]*\r\n\r\nnot you\n$/);
  client.destroy();
  await new Promise((resolve) => server.close(resolve));
});
