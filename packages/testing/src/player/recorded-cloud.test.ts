import { createMessage, createResponse, encodeMessage, decodeMessage, type Message } from '@edge/protocol';
import { expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createTestCa } from '../tls/test-ca.js';
import { readCapture } from './capture.js';
import { playRecordedCloud } from './recorded-cloud.js';

const query = createMessage({ source: 'edged', group: 'meta', operation: 'query', resource: 'default/configmap/a' });
const reply = createResponse(query, { data: { key: 'value' } }, { source: 'edgecontroller', group: 'resource' });
const push = createMessage({ source: 'edgecontroller', group: 'resource', operation: 'update', resource: 'default/pod/p', content: {} });
const ack = createResponse(push, 'OK');
const line = (dir: string, message: Message): string => JSON.stringify({ t: 1, link: 'hub', dir, text: encodeMessage(message) });
const recording = [line('edge->cloud', query), line('cloud->edge', reply), line('cloud->edge', push), line('edge->cloud', ack)].join('\n');

it('[player-1.1] answers what was answered, pushes what was pushed in its place, and knows what was acknowledged', async () => {
  const ca = await createTestCa();
  await using cloud = await playRecordedCloud({ ca, captures: [readCapture(recording)] });
  const { certificate, privateKey } = await ca.node('edge-1');
  const socket = new WebSocket(`wss://${cloud.address}/p/edge-1/events`, { ca: ca.certificate, cert: certificate, key: privateKey });
  const got: Message[] = [];
  socket.on('message', (data) => {
    const message = decodeMessage(String(data));
    got.push(message);
    if (message.header.parentId === undefined) socket.send(encodeMessage(createResponse(message, 'OK')));
  });
  await new Promise((resolve) => socket.once('open', resolve));
  const own = createMessage({ ...query.route });
  expect(cloud.pushed).toEqual([]);
  socket.send(encodeMessage(own));
  await cloud.played(5000);
  expect(got.map((message) => message.header.parentId)).toEqual([own.header.id, undefined]);
  expect(got[0]?.content).toEqual({ data: { key: 'value' } });
  expect(cloud.acknowledged.has(push.header.id)).toBe(true);
  expect(cloud.missed).toEqual([]);
  expect(cloud.handshakes[0]?.clientCn).toBe('system:node:edge-1');
  socket.terminate();
});

it('[player-1.2] says what was not played when the agent does not do its part', async () => {
  const ca = await createTestCa();
  await using cloud = await playRecordedCloud({ ca, captures: [readCapture(recording)], patienceMs: 20 });
  await expect(cloud.played(50)).rejects.toThrow('not sent: update default/pod/p');
});

it('[player-1.3] breaks the link where the recording does, leaves out what the agent does not send, and suits its words to the run', async () => {
  const ca = await createTestCa();
  const event = (name: string): string => JSON.stringify({ t: 2, link: 'hub', event: name, url: '/p/edge-1/events', headers: {} });
  const never = createMessage({ ...query.route, resource: 'default/configmap/never' });
  const first = [event('open'), line('edge->cloud', never), line('edge->cloud', query), line('cloud->edge', reply)].join('\n');
  const second = [event('close'), event('close'), event('open'), line('edge->cloud', query), line('cloud->edge', push), line('edge->cloud', ack)].join('\n');
  const reached: number[] = [];
  const began: number[] = [];
  await using cloud = await playRecordedCloud({
    ca,
    captures: [readCapture(first), readCapture(second)],
    omitted: ({ route }) => route.resource.endsWith('/never'),
    adapt: (message) => ({ ...message, content: { adapted: message.content } }),
    between: async (capture) => void began.push(capture),
    reached: (at) => void reached.push(at),
  });
  const { certificate, privateKey } = await ca.node('edge-1');
  const contents: unknown[] = [];
  const connect = (): WebSocket => {
    const socket = new WebSocket(`wss://${cloud.address}/p/edge-1/events`, { ca: ca.certificate, cert: certificate, key: privateKey });
    socket.on('open', () => socket.send(encodeMessage(createMessage({ ...query.route }))));
    socket.on('message', (data) => {
      const message = decodeMessage(String(data));
      contents.push(message.content);
      if (message.header.parentId === undefined) socket.send(encodeMessage(createResponse(message, 'OK')));
    });
    return socket;
  };
  const socket = connect();
  await new Promise((resolve) => socket.once('close', resolve));
  const again = connect();
  await cloud.played(5000);
  expect(cloud.handshakes).toHaveLength(2);
  expect(cloud.heard.map(({ session, capture }) => [session, capture])).toEqual([[1, 0], [2, 1], [2, 1]]);
  expect(contents).toEqual([{ adapted: reply.content }, { adapted: reply.content }, { adapted: push.content }]);
  expect(began).toEqual([0, 1]);
  expect(reached.length).toBe(7);
  expect(cloud.missed).toEqual([]);
  again.terminate();
});
