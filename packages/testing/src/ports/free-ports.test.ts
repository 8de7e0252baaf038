import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { freePort, freePorts } from './free-ports.js';

it('[testing-ports-1] gives ports that can be listened on, outside of what outgoing connections get', async () => {
  const first = await freePorts(3);
  for (const port of [first, first + 1, first + 2]) {
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    expect((server.address() as AddressInfo).port).toBe(port);
    await new Promise((resolve) => server.close(resolve));
    expect(port).toBeLessThan(32_768);
  }
  expect(new Set(await Promise.all(Array.from({ length: 5 }, () => freePort()))).size).toBeGreaterThan(1);
});
