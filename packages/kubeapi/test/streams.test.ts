import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { eventually } from '@edge/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { bridgeWebSocket, type CommandStreams } from '../src/index.js';
import { controlFrame, dataHead } from '../src/streams/spdy-frames.js';
import { SpdyReader } from '../src/streams/spdy-reader.js';
import { FakeNode } from './fake-node.js';
import { TestServer } from './helpers.js';

const ALL: CommandStreams = { stdin: true, stdout: true, stderr: true, tty: false };
const V5 = 'v5.channel.k8s.io';

/** A server whose commands and ports are served by nodes of the test. */
async function scene(wanted: CommandStreams | 'ports' = ALL) {
  const nodes: FakeNode[] = [];
  const asked: Readonly<Record<string, string>>[] = [];
  let prepare = (node: FakeNode): void => node.switchProtocols();
  const server = await TestServer.start({}, ['exec', 'portforward'].map((subresource) => ({
    group: '', plural: 'pods', subresource,
    upgrade: (_asked, http) => bridgeWebSocket({
      ...http, wanted,
      ask: (headers) => {
        const node = new FakeNode();
        nodes.push(node);
        asked.push(headers);
        prepare(node);
        return node.connection;
      },
    }),
  })));
  const dial = (protocol = V5, options: { origin?: string } = {}) => {
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/api/v1/namespaces/default/pods/p/exec`, [protocol], { perMessageDeflate: false, ...options });
    const said: Record<number, string> = {};
    socket.on('message', (data: Buffer) => (said[data[0] ?? -1] = (said[data[0] ?? -1] ?? '') + data.subarray(1).toString()));
    return { socket, said };
  };
  return {
    nodes, asked, dial, server,
    prepare: (how: (node: FakeNode) => void) => (prepare = how),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

const until = (look: () => boolean): Promise<boolean> => eventually(() => Promise.resolve(look() ? true : undefined), 'it to come');

describe('commands and ports over WebSocket', () => {
  it('[kubeapi-15.1] v5: opens the streams that are wanted, passes bytes, sizes and the end of the input, and closes when the command has ended', async () => {
    await using it = await scene({ stdin: true, stdout: true, stderr: true, tty: true });
    const { socket, said } = it.dial();
    await once(socket, 'open');
    expect(socket.protocol).toBe(V5);
    expect(it.asked).toEqual([{ Connection: 'Upgrade', 'Content-Length': '0', Upgrade: 'SPDY/3.1', 'X-Stream-Protocol-Version': 'v4.channel.k8s.io' }]);
    const node = it.nodes[0] as FakeNode;
    // Nothing comes of what is no channel, or one of the other direction.
    for (const bytes of [[], [255], [255, 9], [1, 65], [3, 66], [7, 67], [0, 104, 105], [4, 123, 125], [255, 0], [0, 68]]) socket.send(Buffer.from(bytes));
    await until(() => node.heard['stdin'] === 'hiEND' && node.heard['resize'] === '{}');
    expect(node.heard).toEqual({ stdin: 'hiEND', resize: '{}' });
    // A terminal has one output.
    expect([...node.streams]).toEqual([['error', 1], ['stdin', 3], ['stdout', 5], ['resize', 7]]);
    node.say('stdout', 'out');
    node.raw(controlFrame(6, 0, Buffer.from([0, 0, 0, 2])));
    node.finish();
    expect(await once(socket, 'close')).toEqual([1000, expect.anything()]);
    expect(said).toEqual({ 1: 'out', 3: '{"metadata":{},"status":"Success"}' });
    await until(() => node.closed);
  });

  it('[kubeapi-15.2] a session that breaks off says so, a caller that goes away ends it, and a refusal is an answer', async () => {
    await using it = await scene();
    const broken = it.dial();
    await once(broken.socket, 'open');
    it.nodes[0]?.say('stdout', 'half');
    it.nodes[0]?.end();
    expect((await once(broken.socket, 'close'))[0]).toBe(1011);
    const odd = it.dial();
    await once(odd.socket, 'open');
    it.nodes[1]?.raw(Buffer.from([0x80, 2, 0, 1, 0, 0, 0, 0]));
    expect((await once(odd.socket, 'close'))[0]).toBe(1011);
    const gone = it.dial();
    await once(gone.socket, 'open');
    gone.socket.terminate();
    await until(() => it.nodes[2]?.closed === true);
    // Neither do those who leave before the node has said anything.
    it.prepare(() => undefined);
    const early = it.dial();
    early.socket.on('error', () => undefined);
    await until(() => it.nodes.length === 4);
    early.socket.terminate();
    await until(() => it.nodes[3]?.closed === true);

    const refused = async (answer: string, ends = false): Promise<string> => {
      it.prepare((node) => {
        // In pieces, as it may come.
        for (const letter of answer) node.raw(letter);
        if (ends) node.end();
      });
      const { socket } = it.dial();
      const [, response] = (await once(socket, 'unexpected-response')) as [unknown, NodeJS.ReadableStream & { statusCode: number }];
      let text = '';
      for await (const part of response) text += String(part);
      return `${response.statusCode} ${(JSON.parse(text) as { message: string }).message}`;
    };
    expect(await refused('HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nnot there')).toBe('404 not there');
    expect(await refused('HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbad \r\n5\r\nwords\r\n0\r\n\r\n')).toBe('400 bad words');
    expect(await refused('HTTP/1.1 500 Oh\r\n\r\n', true)).toBe('500 the node answered 500');
    expect(await refused('HTTP/1.1 5', true)).toBe('503 the node ended the session before it answered');
    expect(await refused('x'.repeat(20_000))).toBe('503 the node answered with something that is not HTTP');
    const [error] = (await once(it.dial(V5, { origin: 'http://evil.example' }).socket, 'error')) as [Error];
    expect(error.message).toContain('403');
    expect(it.server.errors).toEqual([]);
  });

  it('[kubeapi-15.3] a caller that does not read makes the node wait, and gets all of it when it reads again', async () => {
    await using it = await scene();
    const { socket } = it.dial();
    let received = 0;
    socket.on('message', (data: Buffer) => (received += data.length - 1));
    await once(socket, 'open');
    const node = it.nodes[0] as FakeNode;
    await until(() => node.streams.has('stdout'));
    socket.pause();
    const block = Buffer.alloc(256 * 1024, 'x');
    let sent = 0;
    // What the connections in between hold is a few MiB; the node must not get rid of this much.
    const pump = (async () => {
      for (; sent < 256; sent += 1) if (!node.say('stdout', block)) await node.drained;
    })();
    let before = -1;
    await eventually(async () => {
      const stands = sent > 0 && sent === before;
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 300));
      return stands && sent === before ? true : undefined;
    }, 'the node to wait');
    expect(sent).toBeLessThan(200);
    socket.resume();
    await pump;
    node.finish();
    await once(socket, 'close');
    expect(received).toBeGreaterThanOrEqual(256 * block.length);
  });

  it('[kubeapi-15.4] port-forward: SPDY within WebSocket passes as bytes, what comes right behind the answer included', async () => {
    await using it = await scene('ports');
    const first = controlFrame(4, 0, Buffer.alloc(4));
    it.prepare((node) => node.switchProtocols(first));
    // By hand: the client library takes the protocol's name for an invalid one.
    const asking = httpRequest({
      host: '127.0.0.1', port: it.server.port, path: '/api/v1/namespaces/default/pods/p/portforward',
      headers: { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': Buffer.alloc(16).toString('base64'), 'Sec-WebSocket-Protocol': 'SPDY/3.1+portforward.k8s.io' },
    }).end();
    const [answer, socket, head] = (await once(asking, 'upgrade')) as [IncomingMessage, Socket, Buffer];
    expect([answer.statusCode, answer.headers['sec-websocket-protocol']]).toEqual([101, 'SPDY/3.1+portforward.k8s.io']);
    expect(it.asked[0]).toMatchObject({ Upgrade: 'SPDY/3.1', 'X-Stream-Protocol-Version': 'portforward.k8s.io' });
    let got = head;
    socket.on('data', (bytes: Buffer) => (got = Buffer.concat([got, bytes])));
    await until(() => got.includes(first));
    const node = it.nodes[0] as FakeNode;
    const ping = controlFrame(6, 0, Buffer.alloc(4));
    const data = Buffer.concat([dataHead(1, 5, true), Buffer.from('bytes')]);
    for (const frame of [ping, data]) socket.write(Buffer.concat([Buffer.from([0x82, 0x80 + frame.length, 0, 0, 0, 0]), frame]));
    await until(() => node.heard['1'] === 'bytesEND');
    node.raw('back');
    await until(() => got.includes('back'));
    socket.destroy();
    await until(() => node.closed);
  });

  it('[kubeapi-15.6] a caller in the middle of its input hears of the end of a command that does not read it', { timeout: 25_000 }, async () => {
    await using it = await scene();
    const { socket, said } = it.dial();
    await once(socket, 'open');
    const node = it.nodes[0] as FakeNode;
    await until(() => node.streams.has('stderr'));
    node.hold();
    // More than all that is in between can hold.
    for (let count = 0; count < 16; count += 1) socket.send(Buffer.alloc(1024 * 1024));
    let before = -1;
    await eventually(async () => {
      before = socket.bufferedAmount;
      await new Promise((resolve) => setTimeout(resolve, 300));
      return socket.bufferedAmount === before ? true : undefined;
    }, 'the caller to wait');
    expect(socket.bufferedAmount).toBeGreaterThan(0);
    node.finish();
    expect((await once(socket, 'close'))[0]).toBe(1000);
    expect(JSON.parse(said[3] ?? '')).toMatchObject({ status: 'Success' });
  });

  it('[kubeapi-15.5] SPDY frames are read the same however they are cut, and nothing else than an error comes of what is none', () => {
    const frame = fc.oneof(
      fc.tuple(fc.integer({ min: 1, max: 9 }), fc.uint8Array({ maxLength: 40 }), fc.boolean()).map(([id, bytes, isLast]) => Buffer.concat([dataHead(id, bytes.length, isLast), bytes])),
      fc.tuple(fc.integer({ min: 1, max: 9 }), fc.uint8Array({ maxLength: 40 })).map(([type, bytes]) => controlFrame(type, 0, bytes)),
    );
    const read = (pieces: readonly Buffer[]): string[] => {
      const events: string[] = [];
      let open = '';
      const reader = new SpdyReader({
        onControl: (type, flags, payload) => events.push(`${type} ${flags} ${payload.toString('hex')}`),
        onData: (stream, bytes, isLast) => {
          // Data come in parts; joined they are the same.
          open += bytes.toString('hex');
          if (isLast) events.push(`end of ${stream}`);
        },
      });
      for (const piece of pieces) reader.push(piece);
      return [...events, open];
    };
    fc.assert(fc.property(fc.array(frame, { maxLength: 6 }), fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 40 }), (frames, cuts) => {
      const whole = Buffer.concat(frames);
      const pieces: Buffer[] = [];
      let at = 0;
      for (const cut of cuts) pieces.push(whole.subarray(at, (at += cut)));
      expect(read([...pieces, whole.subarray(at)])).toEqual(read([whole]));
    }));
    fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 60 })), (pieces) => {
      try {
        read(pieces.map((piece) => Buffer.from(piece)));
      } catch (error) {
        expect(String(error)).toMatch(/only SPDY\/3\.1 is spoken|a control frame has/);
      }
    }));
  });
});
