import { createServer, request, type IncomingMessage } from 'node:http';
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { HttpServer } from './http-server.js';
import { joinSockets } from './relay.js';

const end = new AbortController();
let stop = new AbortController();
const closers: (() => unknown)[] = [];
afterEach(async () => {
  stop.abort();
  stop = new AbortController();
  await Promise.all(closers.splice(0).map((close) => close()));
});

/** A streaming server that plays the runtime; gives the URL and what it received. */
async function runtimeServer(onStream: (socket: Socket, request: IncomingMessage) => void): Promise<string> {
  const server = createServer((_request, response) => response.writeHead(418).end('short and stout'));
  server.on('upgrade', (asked, socket) => {
    socket.on('error', () => undefined);
    closers.push(() => socket.destroy());
    onStream(socket as Socket, asked);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve))));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/exec/token?x=1`;
}

/** The API with one path, `/stream`, that is handed to the URL. */
async function api(relayTo: string, streamIdleMs = 60_000): Promise<number> {
  const server = new HttpServer({ routes: [{ methods: ['GET', 'POST'], path: '/stream', handle: () => ({ relayTo }) }], admit: () => undefined, count: () => undefined, streamIdleMs });
  const signal = stop.signal;
  const port = await new Promise<number>((resolve, reject) => {
    const life = server.run('127.0.0.1', 0, signal, resolve);
    life.catch(reject);
    closers.push(() => life);
  });
  return port;
}

function upgrade(port: number, headers: Record<string, string> = {}): Promise<{ answer: IncomingMessage; socket?: Socket; early?: Buffer }> {
  return new Promise((resolve, reject) => {
    const asked = request({ port, host: '127.0.0.1', path: '/stream', headers: { Connection: 'Upgrade', Upgrade: 'anything', ...headers }, agent: false, signal: end.signal });
    asked.on('upgrade', (answer, socket, early) => {
      socket.on('error', () => undefined);
      resolve({ answer, socket: socket as Socket, early });
    });
    asked.on('response', (answer) => resolve({ answer }));
    asked.on('error', reject);
    asked.end();
  });
}

const ok = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: anything\r\nX-Extra: Kept As Is\r\n\r\n';

describe('the relay of streams', () => {
  it('[edged-29.30] repeats the request with its headers but the token, and gives back the answer with its headers', async () => {
    let asked: IncomingMessage | undefined;
    const port = await api(await runtimeServer((socket, request) => ((asked = request), socket.end(`${ok}first bytes`))));
    const { answer, socket, early = '' } = await upgrade(port, { 'X-Stream-Protocol-Version': 'v4', Authorization: 'Bearer secret' });
    expect(asked).toMatchObject({ url: '/exec/token?x=1', method: 'GET', headers: { 'x-stream-protocol-version': 'v4', upgrade: 'anything' } });
    expect(asked?.headers.authorization).toBeUndefined();
    expect(answer.headers['x-extra']).toBe('Kept As Is');
    let text = early.toString();
    socket?.on('data', (piece: Buffer) => (text += piece.toString()));
    await new Promise((resolve) => socket?.once('end', resolve));
    expect(text).toBe('first bytes');
    socket?.destroy();
  });

  it('[edged-29.31] closes one direction and leaves the other open', async () => {
    const port = await api(
      await runtimeServer((socket) => {
        socket.write(ok);
        let got = '';
        socket.on('data', (piece: Buffer) => (got += piece.toString()));
        // Answers only after it has seen that nothing more will come.
        socket.on('end', () => socket.end(`all of it: ${got}`));
      }),
    );
    const { socket } = await upgrade(port);
    let text = '';
    socket?.on('data', (piece: Buffer) => (text += piece.toString()));
    socket?.end('question');
    await new Promise((resolve) => socket?.once('end', resolve));
    expect(text).toBe('all of it: question');
  });

  it('[edged-29.32] reads from the runtime no faster than the client takes it', async () => {
    let server: Socket | undefined;
    const port = await api(
      await runtimeServer((socket) => {
        server = socket;
        socket.write(ok);
        const pump = (): void => {
          while (!socket.destroyed && socket.bytesWritten < 1e9 && socket.write(Buffer.alloc(64 * 1024)));
        };
        socket.on('drain', pump);
        pump();
      }),
    );
    const { socket } = await upgrade(port);
    socket?.pause();
    let before = -1;
    // Kernel buffers fill up, a few megabytes on each of the connections; then nothing moves.
    await expect
      .poll(
        () => {
          const stands = server !== undefined && server.bytesWritten === before;
          before = server?.bytesWritten ?? -1;
          return stands;
        },
        { timeout: 40_000, interval: 200 },
      )
      .toBe(true);
    expect(server?.bytesWritten).toBeLessThan(64 * 1024 * 1024);
    socket?.destroy();
  });

  it('[edged-29.33] when one side breaks the other is closed, and an idle session ends', async () => {
    const closed: string[] = [];
    const port = await api(
      await runtimeServer((socket, request) => {
        socket.write(ok);
        socket.resume().on('end', () => socket.end()).on('close', () => closed.push(request.headers['x-name'] as string));
        if (request.headers['x-name'] === 'dies') setTimeout(() => socket.resetAndDestroy(), 20);
      }),
      300,
    );
    const dies = await upgrade(port, { 'X-Name': 'dies' });
    await new Promise((resolve) => dies.socket?.resume().once('close', resolve));
    const leaves = await upgrade(port, { 'X-Name': 'leaves' });
    leaves.socket?.resetAndDestroy();
    await expect.poll(() => closed).toEqual(['dies', 'leaves']);
    const idle = await upgrade(port, { 'X-Name': 'idle' });
    await new Promise((resolve) => idle.socket?.resume().once('close', resolve));
    await expect.poll(() => closed).toEqual(['dies', 'leaves', 'idle']);
  });

  /** Two connections to join, and the far end of each: the client's and the runtime's. */
  async function joinable() {
    const far: Socket[] = [];
    const server = createTcpServer({ allowHalfOpen: true }, (socket) => void far.push(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const dial = async (count: number): Promise<Socket> => {
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      await expect.poll(() => far.length).toBe(count);
      return socket;
    };
    const near = [await dial(1), await dial(2)] as [Socket, Socket];
    return {
      near, far: far as [Socket, Socket],
      [Symbol.asyncDispose]: async () => {
        for (const socket of [...near, ...far]) socket.destroy();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  }

  it('[edged-29.35] ends soon after a client has gone, although the runtime keeps its side open and says nothing', async () => {
    await using it = await joinable();
    const ended = joinSockets(...it.near, 3_600_000, new AbortController().signal, 100);
    // As one that was attached to a quiet process.
    it.far[0].end();
    await ended;
    expect(it.near.map(({ destroyed }) => destroyed)).toEqual([true, true]);
  });

  it('[edged-29.36] a client that has stopped reading gets the last words of a runtime that has long ended', async () => {
    await using it = await joinable();
    const [[nearClient, nearRuntime], [client, runtime]] = [it.near, it.far];
    const ended = joinSockets(nearClient, nearRuntime, 3_600_000, new AbortController().signal, 50);
    const part = Buffer.alloc(16 * 1024, 'x');
    const turn = (milliseconds: number): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, milliseconds));
    let sent = 0;
    // Until the kernel takes no more, and the part given last is all that waits.
    for (let stuck = 0; stuck < 3; stuck = nearClient.writableLength > 0 ? stuck + 1 : 0) {
      if (stuck === 0) {
        runtime.write(part);
        sent += part.length;
        await expect.poll(() => nearRuntime.bytesRead, { interval: 1, timeout: 20_000 }).toBe(sent);
      }
      await turn(stuck === 0 ? 0 : 20);
    }
    const said = new Promise((resolve) => nearRuntime.once('end', resolve));
    runtime.end();
    await said;
    await turn(300);
    expect(nearClient.destroyed).toBe(false);
    let got = 0;
    client.on('data', (bytes: Buffer) => (got += bytes.length));
    await new Promise((resolve) => client.once('end', resolve));
    expect(got).toBe(sent);
    // It keeps its side open; nothing more can come of that.
    await ended;
  }, 60_000);

  it('[edged-29.34] gives on what the runtime says when it refuses, and 502 when it is not there; then the connection is closed', async () => {
    const server = createServer((_request, response) => response.writeHead(403, { 'Content-Type': 'text/x-why' }).end('too new'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const port = await api(url);
    const refused = await upgrade(port);
    let text = '';
    for await (const piece of refused.answer) text += String(piece);
    expect([refused.answer.statusCode, refused.answer.headers['content-type'], refused.answer.headers.connection, text]).toEqual([403, 'text/x-why', 'close', 'too new']);
    await new Promise((resolve) => (server.closeAllConnections(), server.close(resolve)));
    const missing = await upgrade(port);
    expect(missing.answer.statusCode).toBe(502);
    missing.answer.resume();
  });
});
