import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { commandTests } from '../streams/commands.js';
import { enduranceTests } from '../streams/endurance.js';
import { logTests } from '../streams/logs.js';
import { openStreamScene, type StreamScene } from '../streams/stream-scene.js';
import { transferTests } from '../streams/transfers.js';
import { eventually } from '../support/agent.js';

let opened: StreamScene;
const scene = (): StreamScene => opened;

beforeAll(async () => {
  opened = await openStreamScene();
}, 300_000);
afterAll(async () => {
  await opened?.[Symbol.asyncDispose]();
}, 120_000);

logTests(scene);
commandTests(scene);
transferTests(scene);
enduranceTests(scene);

it('[cli-stream-1.5] a command over WebSocket with the channels of v4; v5 alone is refused so that clients try SPDY', { timeout: 300_000 }, async () => {
  const { url, ca, headers } = scene().api;
  const dial = (protocol: string): WebSocket =>
    new WebSocket(`${url.replace('https', 'wss')}/api/v1/namespaces/default/pods/p/exec?command=cat&stdin=true&stdout=true`, protocol, { ca, headers, perMessageDeflate: false });
  const socket = dial('v4.channel.k8s.io');
  const said: Record<number, string> = {};
  socket.on('message', (data: Buffer) => (said[data[0] ?? 0] = (said[data[0] ?? 0] ?? '') + data.subarray(1).toString()));
  await once(socket, 'open');
  socket.send(Buffer.from('\0hello'));
  await eventually(() => said[1] === 'hello', 90_000, () => JSON.stringify(said));
  socket.terminate();
  const [error] = (await once(dial('v5.channel.k8s.io'), 'error')) as [Error];
  expect(error.message).toContain('400');
});
