import { createServer } from 'node:net';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { mapperSocket } from './mapper-socket.js';

it('[cli-5.3] a folder in which the agent can make its socket for mappers is not said to be too long', async () => {
  const base = mkdtempSync(join(tmpdir(), 'dev-'));
  try {
    const folder = (bytes: number): string => join(base, 'f'.repeat(bytes - base.length - '//dmi.sock'.length));
    const longest = folder(107);
    mkdirSync(longest);
    expect(mapperSocket(longest)).toBe(join(longest, 'dmi.sock'));
    const server = createServer().listen(join(longest, 'dmi.sock'));
    await once(server, 'listening');
    server.close();
    expect(mapperSocket(folder(108))).toMatch(/^none: .* is too long for a socket; give a shorter folder with --data$/);
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
});
