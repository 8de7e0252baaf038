import { once } from 'node:events';
import { chmod, lstat, mkdir, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { EdgeError, errorCode, errorText, untilAborted, withTimeout, type Logger } from '@edge/core';
import { MAX_LINE, readRequest, type ControlReply, type ControlRequest } from './control-protocol.js';

/** Connections at a time; orders are given by people. */
const MAX_CONNECTIONS = 8;
const REQUEST_TIMEOUT_MS = 10_000;
/** What the kernel takes as the path of a socket, with its end. */
const LONGEST_PATH = 107;

export interface ControlServerDeps {
  readonly path: string;
  /** Carries an order out; the signal aborts when whoever gave it is gone, or the agent stops. */
  readonly carryOut: (request: ControlRequest, say: (step: string) => void, signal: AbortSignal) => Promise<unknown>;
  readonly log: Logger;
}

/** Where commands reach the running agent: a socket that its user and root alone may open. */
export class ControlServer {
  readonly #deps: ControlServerDeps;

  constructor(deps: ControlServerDeps) {
    this.#deps = deps;
  }

  /** Serves until the signal aborts. An agent that cannot be reached this way runs all the same. */
  async run(signal: AbortSignal): Promise<void> {
    const { path, log } = this.#deps;
    const sockets = new Set<Socket>();
    const orders = new Set<Promise<void>>();
    const server = createServer((socket) => {
      sockets.add(socket);
      const order = this.#serve(socket, signal).finally(() => {
        sockets.delete(socket);
        orders.delete(order);
      });
      orders.add(order);
    });
    server.maxConnections = MAX_CONNECTIONS;
    try {
      await open(server, path);
    } catch (error) {
      log.warn('commands such as "edgecore module" do not reach this agent', { path, err: errorText(error) });
      return;
    }
    server.on('error', (error) => log.warn('the socket for commands', { path, err: errorText(error) }));
    await untilAborted(signal);
    // It takes the file away, too.
    server.close();
    // Each is told the outcome of what it has ordered.
    await Promise.all(orders);
    for (const socket of sockets) socket.destroy();
  }

  async #serve(socket: Socket, stopped: AbortSignal): Promise<void> {
    const gone = new AbortController();
    socket.once('close', () => gone.abort());
    socket.on('error', () => gone.abort());
    const reply = (line: ControlReply): void => void (socket.writable && socket.write(`${JSON.stringify(line)}\n`));
    try {
      const line = await firstLine(socket, AbortSignal.any([stopped, gone.signal]));
      const done = await this.#deps.carryOut(readRequest(line), (step) => reply({ step }), AbortSignal.any([stopped, gone.signal]));
      reply({ done });
    } catch (error) {
      reply({ error: { code: errorCode(error), message: errorText(error) } });
    }
    socket.end();
    // Whoever does not read its answer is not waited for.
    if (!socket.closed) await withTimeout(once(socket, 'close'), 1_000, () => new EdgeError('cli.control', 'it stays open'), stopped).catch(() => socket.destroy());
  }
}

/** What comes after it is nothing, and is read all the same: so it is noticed that the peer goes. */
async function firstLine(socket: Socket, signal: AbortSignal): Promise<string> {
  socket.setEncoding('utf8');
  let text = '';
  const line = new Promise<string>((resolve, reject) => {
    socket.once('end', () => reject(new EdgeError('cli.control', 'no order came')));
    socket.on('data', (chunk) => {
      if (text.length <= MAX_LINE) text += String(chunk);
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')));
      else if (text.length > MAX_LINE) reject(new EdgeError('cli.control', `an order of more than ${MAX_LINE} letters came`));
    });
  });
  return withTimeout(line, REQUEST_TIMEOUT_MS, () => new EdgeError('cli.control', 'no order came in time'), signal);
}

/** Listens; the socket of an agent that is gone, which a cut of power leaves, gives way. */
async function open(server: Server, path: string): Promise<void> {
  if (Buffer.byteLength(path) > LONGEST_PATH) throw new EdgeError('cli.control', `the path of a socket has at most ${LONGEST_PATH} bytes, this one has ${Buffer.byteLength(path)}`);
  await mkdir(dirname(path), { recursive: true });
  try {
    await listen(server, path);
  } catch (error) {
    if (errorCode(error) !== 'EADDRINUSE') throw error;
    if (!(await lstat(path)).isSocket()) throw new EdgeError('cli.control', 'something else lies in its place', { cause: error });
    if (await answers(path)) throw new EdgeError('cli.control', 'another agent listens there', { cause: error });
    await rm(path);
    await listen(server, path);
  }
  await chmod(path, 0o600);
}

async function listen(server: Server, path: string): Promise<void> {
  // The file is made within this call: nobody else can open it even before its mode is set.
  const usual = process.umask(0o177);
  try {
    server.listen(path);
  } finally {
    process.umask(usual);
  }
  await once(server, 'listening');
}

async function answers(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
