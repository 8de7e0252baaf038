import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { commandTests } from '../streams/commands.js';
import { enduranceTests } from '../streams/endurance.js';
import { logTests } from '../streams/logs.js';
import { openStreamScene, type StreamScene } from '../streams/stream-scene.js';
import { topTests } from '../streams/top.js';
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
topTests(scene);
enduranceTests(scene);

it('[cli-stream-1.5] a command over WebSocket: the channels of v4, those of v5 with an end of the input, and what is refused as an answer', { timeout: 300_000 }, async () => {
  const { url, ca, headers } = scene().api;
  const dial = (protocols: string[], path = 'p/exec?command=cat&stdin=true&stdout=true'): { socket: WebSocket; said: Record<number, string> } => {
    const socket = new WebSocket(`${url.replace('https', 'wss')}/api/v1/namespaces/default/pods/${path}`, protocols, { ca, headers, perMessageDeflate: false });
    const said: Record<number, string> = {};
    socket.on('message', (data: Buffer) => (said[data[0] ?? 0] = (said[data[0] ?? 0] ?? '') + data.subarray(1).toString()));
    return { socket, said };
  };
  const old = dial(['v4.channel.k8s.io']);
  await once(old.socket, 'open');
  old.socket.send(Buffer.from('\0hello'));
  await eventually(() => old.said[1] === 'hello', 90_000, () => JSON.stringify(old.said));
  old.socket.terminate();

  const { socket, said } = dial(['v5.channel.k8s.io', 'v4.channel.k8s.io']);
  await once(socket, 'open');
  expect(socket.protocol).toBe('v5.channel.k8s.io');
  for (const message of ['\0hello ', '\x07of no channel', '\0again']) socket.send(Buffer.from(message));
  socket.send(Buffer.from([255, 0]));
  const [code] = (await once(socket, 'close')) as [number];
  expect([code, said[1], JSON.parse(said[3] ?? '')]).toEqual([1000, 'hello again', { metadata: {}, status: 'Success' }]);

  const refused = await Promise.all(['nobody/exec?command=cat&stdout=true', 'two/exec?container=a&command=cat', 'p/exec?container=none&command=cat&stdout=true'].map(async (path) => {
    const [error] = (await once(dial(['v5.channel.k8s.io'], path).socket, 'error')) as [Error];
    return error.message;
  }));
  expect(refused).toEqual([expect.stringContaining('404'), expect.stringContaining('400'), expect.stringContaining('400')]);
});

it('[cli-stream-1.12] kubectl speaks WebSocket for commands and ports, and does not have to go back to SPDY', { timeout: 300_000 }, async () => {
  const { kubectl } = scene();
  const { code, stdout, stderr } = await kubectl.run(['-v=8', 'exec', '-i', 'p', '--', 'sh', '-c', 'cat; exit 4'], Buffer.from('typed'));
  expect([code, String(stdout)]).toEqual([4, 'typed']);
  expect(stderr).toContain('v5.channel.k8s.io');
  const forward = kubectl.start('-v=8', 'port-forward', 'p', ':8080');
  await forward.shows(/127.0.0.1:(\d+) ->/);
  expect(await (await fetch(`http://127.0.0.1:${/127.0.0.1:(\d+) ->/.exec(forward.said)?.[1] ?? ''}/`)).text()).toBe('page\n');
  await forward.kill();
  for (const said of [stderr, forward.said]) expect(said).not.toMatch(/fallback|Upgrade: SPDY|SPDY\/3\.1\]/i);
  expect(forward.said).toContain('SPDY/3.1+portforward.k8s.io');
});
