import { once } from 'node:events';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCell, EdgeError, silentLogger, untilAborted, type Logger } from '@edge/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { order } from './control-client.js';
import { MAX_LINE } from './control-protocol.js';
import { ControlServer, type ControlServerDeps } from './control-server.js';

const never = new AbortController().signal;
let folder: string;
let path: string;
let stop: AbortController;
let lives: Promise<void>[];
let warnings: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edge-control-'));
  path = join(folder, 'state', 'edgecore.sock');
  stop = new AbortController();
  [lives, warnings] = [[], []];
});
afterEach(async () => {
  stop.abort();
  await Promise.all(lives);
  await rm(folder, { recursive: true });
});

const log: Logger = { ...silentLogger, warn: (text, fields) => void warnings.push(`${text} ${JSON.stringify(fields)}`) };

/** Serves; resolves when it can be reached, or has given up. */
async function serve(carryOut: ControlServerDeps['carryOut'], at = path): Promise<void> {
  const life = new ControlServer({ path: at, carryOut, log }).run(stop.signal);
  lives.push(life);
  await Promise.race([life, (async () => {
    while (!(await reaches(at))) await new Promise((resolve) => setTimeout(resolve, 5));
  })()]);
}

async function reaches(at: string): Promise<boolean> {
  const socket = connect(at);
  const reached = await once(socket, 'connect').then(() => true, () => false);
  socket.destroy();
  return reached;
}

/** Sends text as it is; what comes back. */
async function raw(text: string): Promise<string> {
  const socket = connect(path);
  let answer = '';
  socket.on('data', (chunk) => (answer += String(chunk))).on('error', () => undefined);
  socket.write(text);
  await once(socket, 'close');
  return answer;
}

describe('the socket for orders', { timeout: 30_000 }, () => {
  it('[cli-10.1] belongs to the agent and its user alone, and gives steps, outcome and errors with their codes', async () => {
    await serve(async (request, say) => {
      if (request.order === 'list') throw new EdgeError('core.swap-busy', 'ask later');
      say('stopping');
      say('starting');
      return { request };
    });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const steps: string[] = [];
    const request = { order: 'swap', role: 'clock', entry: { package: 'clock', version: '1.0.0', folder: '/opt/clock' }, readyTimeoutSeconds: 3 } as const;
    expect(await order(path, request, (step) => steps.push(step), never)).toEqual({ request });
    expect(steps).toEqual(['stopping', 'starting']);
    await expect(order(path, { order: 'list' }, () => undefined, never)).rejects.toMatchObject({ code: 'core.swap-busy', message: 'ask later' });
    stop.abort();
    await Promise.all(lives);
    expect(existsSync(path)).toBe(false);
    await expect(order(path, { order: 'list' }, () => undefined, never)).rejects.toMatchObject({ code: 'cli.no-agent', message: `the agent cannot be reached at ${path}: it does not run` });
  });

  it('[cli-10.2] refuses what is no order, says what is wrong with it, and goes on', async () => {
    await serve(() => Promise.resolve('ok'));
    const wrong: readonly [string, string][] = [
      ['{\n', 'it is no JSON'],
      ['7\n', 'order is undefined'],
      ['{"order":"stop"}\n', 'order is \\"stop\\", it must be'],
      ['{"order":"swap"}\n', 'role is undefined'],
      ['{"order":"swap","role":"clock","entry":{"package":"x","version":"1","folder":"x"}}\n', 'an absolute path as folder'],
      ['{"order":"swap","role":"clock","readyTimeoutSeconds":-1}\n', 'readyTimeoutSeconds is -1'],
      ['x'.repeat(MAX_LINE + 1), 'an order of more than'],
    ];
    for (const [text, answer] of wrong) expect(await raw(text)).toContain(answer);
    expect(await raw('{"order":"list"}\nand more\n')).toBe('{"done":"ok"}\n');
  });

  it('[cli-10.3] tells an order that whoever gave it has left, or that the agent stops; the latter is still answered', async () => {
    const underWay = createCell(0);
    const ended = createCell(0);
    await serve(async (_request, _say, ends) => {
      underWay.set(underWay.value + 1);
      await untilAborted(ends);
      ended.set(ended.value + 1);
      throw new EdgeError('core.stopping', 'it was given up');
    });
    const leave = new AbortController();
    const left = order(path, { order: 'list' }, () => undefined, leave.signal);
    await underWay.until((count) => count === 1, never);
    leave.abort();
    await expect(left).rejects.toThrow();
    await ended.until((count) => count === 1, never);
    const answered = order(path, { order: 'list' }, () => undefined, never);
    await underWay.until((count) => count === 2, never);
    stop.abort();
    await expect(answered).rejects.toMatchObject({ code: 'core.stopping' });
    await Promise.all(lives);
  });

  it('[cli-10.5] no order goes out for a command that was ended while it prepared it; an agent that was killed is said to have ended', async () => {
    let orders = 0;
    await serve(() => Promise.resolve((orders += 1)));
    await expect(order(path, { order: 'list' }, () => undefined, AbortSignal.abort())).rejects.toMatchObject({ code: 'core.aborted' });
    expect(await order(path, { order: 'list' }, () => undefined, never)).toBe(1);

    const killed = join(folder, 'killed');
    const server = createServer({ pauseOnConnect: true }).listen(killed);
    await once(server, 'listening');
    const [ended, [agent]] = [order(killed, { order: 'list' }, () => undefined, never), (await once(server, 'connection')) as [Socket]];
    const told = expect(ended).rejects.toMatchObject({ code: 'cli.control', message: expect.stringContaining('the agent ended') as string });
    // The order lies in its buffer, unread.
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    agent.destroy();
    await told;
    server.close();
    await once(server, 'close');
  });

  it('[cli-10.4] takes the place of a socket that nobody listens on, and no other; an agent without it runs all the same', async () => {
    await serve(() => Promise.resolve(1));
    await new ControlServer({ path, carryOut: () => Promise.resolve(2), log }).run(stop.signal);
    expect(warnings.splice(0)).toEqual([expect.stringContaining('another agent listens there')]);
    expect(await order(path, { order: 'list' }, () => undefined, never)).toBe(1);

    const file = join(folder, 'file');
    writeFileSync(file, 'mine');
    await serve(() => Promise.resolve(3), file);
    await serve(() => Promise.resolve(3), join(folder, 'x'.repeat(120)));
    expect(warnings).toEqual([expect.stringContaining('something else lies in its place'), expect.stringContaining('at most 107 bytes')]);

    const dead = join(folder, 'dead');
    await leaveSocket(dead);
    await serve(() => Promise.resolve(4), dead);
    expect(await order(dead, { order: 'list' }, () => undefined, never)).toBe(4);
  });
});

/** What a cut of power leaves: the file of a socket that nobody listens on. */
async function leaveSocket(at: string): Promise<void> {
  const { link, unlink } = await import('node:fs/promises');
  const server = createServer().listen(`${at}.alive`);
  await once(server, 'listening');
  await link(`${at}.alive`, at);
  server.close();
  await once(server, 'close');
  await unlink(`${at}.alive`).catch(() => undefined);
}
