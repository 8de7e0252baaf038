import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@edge/core';
import { expect, it } from 'vitest';
import { parseEdgedConfig } from '../config.js';
import { openConfiguredRuntime } from './open-runtime.js';

it('[edged-2.12] an agent that is told to stop does not wait for a runtime that hangs', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'edge-open-'));
  const socket = join(folder, 'hanging.sock');
  const server = createServer((connection) => connection.on('error', () => undefined));
  try {
    await new Promise<void>((listening) => server.listen(socket, listening));
    const reached = new Promise<void>((resolve) => server.once('connection', () => resolve()));
    const config = parseEdgedConfig({ tailoredKubeletConfig: { containerRuntimeEndpoint: `unix://${socket}` } }, {});
    const stop = new AbortController();
    const opened = openConfiguredRuntime({ config, hostIP: '127.0.0.1', log: silentLogger, signal: stop.signal });
    await Promise.all([reached.then(() => stop.abort()), expect(opened).rejects.toMatchObject({ code: 'core.aborted' })]);
  } finally {
    server.close();
    rmSync(folder, { recursive: true });
  }
});
