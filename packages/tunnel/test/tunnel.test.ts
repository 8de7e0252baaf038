import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { encodeFrame, FrameTypes, type ConnectRequest } from '@edge/protocol';
import { expect, it, vi } from 'vitest';
import { Tunnel, type SessionKind, type TunnelSession } from '../src/index.js';
import { MemoryWire } from './memory-wire.js';

const SILENCE = { first: 600_000, later: 600_000 };
const request = (id: number): ConnectRequest => ({ id, path: '/containerLogs/default/p/c', query: '', headers: {} });

interface Pair extends Disposable {
  readonly cloud: Tunnel;
  readonly edge: Tunnel;
  readonly cloudWire: MemoryWire;
  readonly edgeWire: MemoryWire;
  readonly garbage: string[];
  readonly asked: { readonly session: TunnelSession; readonly kind: SessionKind; readonly request: ConnectRequest }[];
}

function pair(): Pair {
  const [cloudWire, edgeWire] = MemoryWire.pair();
  const garbage: string[] = [];
  const asked: Pair['asked'] = [];
  const onGarbage = (what: string): void => void garbage.push(what);
  const cloud = new Tunnel({ wire: cloudWire, onGarbage, silence: SILENCE });
  const edge = new Tunnel({ wire: edgeWire, onGarbage, silence: SILENCE, onSession: (session, kind, given) => void asked.push({ session, kind, request: given }) });
  return { cloud, edge, cloudWire, edgeWire, garbage, asked, [Symbol.dispose]: () => { cloud.close('over'); edge.close('over'); } };
}

async function allOf(session: TunnelSession): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of session) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

it('[tunnel-1.1] carries bytes both ways and ends a session once on each side', async () => {
  using tunnel = pair();
  const there = tunnel.cloud.open('exec', request(1));
  await expect.poll(() => tunnel.asked.length === 1).toBe(true);
  const { session: here, kind, request: asked } = tunnel.asked[0] as Pair['asked'][number];
  expect([kind, asked.path]).toEqual(['exec', '/containerLogs/default/p/c']);
  there.write('question');
  const [bytes] = await once(here, 'data');
  expect(String(bytes)).toBe('question');
  const big = randomBytes(300_000);
  here.end(big);
  expect((await allOf(there)).equals(big)).toBe(true);
  await expect.poll(() => tunnel.cloud.sessions === 0 && tunnel.edge.sessions === 0).toBe(true);
  expect(Math.max(...tunnel.edgeWire.sent.map((frame) => frame.length))).toBeLessThanOrEqual(64 * 1024 + 2);
  for (const { sent } of [tunnel.cloudWire, tunnel.edgeWire]) expect(sent.filter((frame) => frame[1] === FrameTypes.removeConnect)).toHaveLength(1);
});

it('[tunnel-1.2] lets the sessions of a tunnel end alone: one that breaks harms no other', async () => {
  using tunnel = pair();
  const sessions = [1, 2, 3].map((id) => tunnel.cloud.open('logs', request(id)));
  await expect.poll(() => tunnel.asked.length === 3).toBe(true);
  tunnel.asked[1]?.session.destroy(new Error('broken'));
  tunnel.asked[0]?.session.end('one');
  tunnel.asked[2]?.session.end('three');
  expect((await Promise.all(sessions.map(allOf))).map(String)).toEqual(['one', '', 'three']);
  expect(tunnel.cloudWire.open).toBe(true);
});

it('[tunnel-1.3] ends every session with the tunnel, and says why', async () => {
  using tunnel = pair();
  const session = tunnel.cloud.open('logs', request(1));
  const failed = once(session, 'error');
  await expect.poll(() => tunnel.asked.length === 1).toBe(true);
  tunnel.cloudWire.send(encodeFrame(0, FrameTypes.closeConnect, Buffer.from('no port')), () => undefined);
  expect(await tunnel.edge.ended).toBe('the cloud ends the tunnel: no port');
  expect(String((await failed)[0])).toContain('the tunnel has ended');
  expect(tunnel.edge.sessions + tunnel.cloud.sessions).toBe(0);
});

it('[tunnel-1.4] passes over a thousand ends of a session that is not there, and answers none', async () => {
  using tunnel = pair();
  for (let times = 0; times < 1000; times += 1) tunnel.cloudWire.send(encodeFrame(7, FrameTypes.removeConnect, new Uint8Array()), () => undefined);
  tunnel.cloudWire.send(encodeFrame(7, FrameTypes.data, Buffer.from('x')), () => undefined);
  await expect.poll(() => tunnel.edgeWire.bytesReceived > 2000).toBe(true);
  expect(tunnel.edgeWire.sent).toEqual([]);
  expect(tunnel.garbage).toEqual([]);
});

it('[tunnel-1.5] answers a request that cannot be read with the end of its session', async () => {
  using tunnel = pair();
  tunnel.cloudWire.send(encodeFrame(9, FrameTypes.execConnect, Buffer.from('{')), () => undefined);
  await expect.poll(() => tunnel.edgeWire.sent.length === 1).toBe(true);
  expect(tunnel.edgeWire.sent[0]).toEqual(encodeFrame(9, FrameTypes.removeConnect, new Uint8Array()));
  expect(tunnel.garbage[0]).toContain('session 9 is not JSON');
});

it('[tunnel-1.6] gives a number that is used anew to the new session and sends no end for it', async () => {
  using tunnel = pair();
  tunnel.cloud.open('logs', request(5));
  await expect.poll(() => tunnel.asked.length === 1).toBe(true);
  tunnel.cloud.open('logs', request(5));
  await expect.poll(() => tunnel.asked.length === 2).toBe(true);
  expect(tunnel.asked.map(({ session }) => session.destroyed)).toEqual([true, false]);
  expect([...tunnel.edgeWire.sent, ...tunnel.cloudWire.sent].filter((frame) => frame[1] === FrameTypes.removeConnect)).toEqual([]);
});

it('[tunnel-1.7] fails a session at once that is begun when the tunnel has ended', async () => {
  using tunnel = pair();
  tunnel.cloud.close('over');
  const session = tunnel.cloud.open('logs', request(1));
  expect(String((await once(session, 'error'))[0])).toContain('the tunnel has ended');
  expect(tunnel.cloud.sessions).toBe(0);
});

it('[tunnel-2.1] stops the sender when nobody takes the bytes, for a moment, and ends that session alone when they become too many', async () => {
  using tunnel = pair();
  const stuck = tunnel.cloud.open('exec', request(1));
  const lively = tunnel.cloud.open('exec', request(2));
  await expect.poll(() => tunnel.asked.length === 2).toBe(true);
  const [first, second] = tunnel.asked.map(({ session }) => session);
  const gone = once(first as TunnelSession, 'error');
  const block = Buffer.alloc(256 * 1024);
  let writing = true;
  let written = 0;
  const more = (error?: Error | null): void => {
    written += block.length;
    if (!error && writing) stuck.write(block, more);
  };
  stuck.on('over', () => (writing = false));
  stuck.write(block, more);
  await expect.poll(() => tunnel.edgeWire.paused).toBe(true);
  expect(written).toBeLessThan(4 * 1024 * 1024);
  // While it is stopped, nobody is served; then the others go on although the first still takes nothing.
  lively.write('still there?');
  const [bytes] = await once(second as TunnelSession, 'data');
  expect(String(bytes)).toBe('still there?');
  expect(String((await gone)[0])).toContain('were not taken');
  await expect.poll(() => !writing).toBe(true);
  second?.write('yes');
  expect(String((await once(lively, 'data'))[0])).toBe('yes');
});

it('[tunnel-2.3] bounds what many sessions hold together, too: the one that holds most ends', async () => {
  using tunnel = pair();
  // Each stays below what stops the flow.
  const block = Buffer.alloc(900 * 1024);
  const sessions = Array.from({ length: 80 }, (_, index) => tunnel.cloud.open('exec', request(index + 1)));
  await expect.poll(() => tunnel.asked.length).toBe(80);
  const failures: string[] = [];
  for (const { session } of tunnel.asked) session.on('error', (error: Error) => void failures.push(error.message));
  await Promise.all(sessions.map((session) => new Promise((resolve) => session.write(block, resolve))));
  const held = tunnel.asked.reduce((sum, { session }) => sum + (session.destroyed ? 0 : session.waiting), 0);
  expect(held).toBeLessThanOrEqual(64 * 1024 * 1024 + 80 * 64 * 1024);
  expect(failures[0]).toContain('were not taken');
  expect(tunnel.edge.sessions).toBeGreaterThan(60);
  expect(tunnel.cloudWire.open).toBe(true);
});

it('[tunnel-2.2] slows the sender down to the pace of a receiver that moves, and loses nothing', async () => {
  using tunnel = pair();
  const there = tunnel.cloud.open('exec', request(1));
  await expect.poll(() => tunnel.asked.length === 1).toBe(true);
  const here = tunnel.asked[0]?.session as TunnelSession;
  const sent = randomBytes(6 * 1024 * 1024);
  there.end(sent);
  await expect.poll(() => tunnel.edgeWire.paused).toBe(true);
  const got: Buffer[] = [];
  let most = 0;
  for await (const part of here) {
    most = Math.max(most, here.waiting);
    got.push(part as Buffer);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(Buffer.concat(got).equals(sent)).toBe(true);
  expect(most).toBeLessThan(2 * 1024 * 1024);
});

it('[tunnel-3.1] asks for signs of life, and ends a tunnel that gives none', async () => {
  const wire = new MemoryWire();
  const tunnel = new Tunnel({ wire, onGarbage: () => undefined, pingMs: 20, silence: { first: 300, later: 200 } });
  expect(await tunnel.ended).toMatch(/^nothing came from the other side for \d+ s$/);
  expect(wire.pings).toBeGreaterThan(1);
  expect(wire.open).toBe(false);
});

it('[tunnel-3.2] takes bytes that leave after a wait for a sign of life: who sends to a slow reader hears nothing for long', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout', 'performance'] });
  try {
    const wire = new MemoryWire();
    let waits = 0;
    wire.send = (_bytes, done) => void setTimeout(() => done(), waits);
    const tunnel = new Tunnel({ wire, onGarbage: () => undefined, silence: { first: 1000, later: 1000 } });
    const write = async (times: number): Promise<void> => {
      for (let time = 0; time < times; time += 1) {
        tunnel.data(1, Buffer.from('x'), () => undefined);
        await vi.advanceTimersByTimeAsync(600);
      }
    };
    waits = 500;
    await write(10);
    expect(tunnel.over).toBe(false);
    // What leaves at once has gone no farther than to the kernel.
    waits = 0;
    await write(4);
    expect(await tunnel.ended).toMatch(/^nothing came from the other side/);
  } finally {
    vi.useRealTimers();
  }
});

it('[tunnel-4.1] takes any bytes without harm: the tunnel and its sessions go on', async () => {
  using tunnel = pair();
  const session = tunnel.cloud.open('exec', request(1));
  await expect.poll(() => tunnel.asked.length === 1).toBe(true);
  const here = tunnel.asked[0]?.session as TunnelSession;
  let seed = 42;
  const random = (below: number): number => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) % below;
  for (let round = 0; round < 3000; round += 1) {
    const noise = Buffer.from(Array.from({ length: random(40) }, () => random(256)));
    const id = 2 + random(300);
    // Everything but an end of the tunnel or of session 1.
    const type = [0, 1, 2, 3, 4, 6, 7, 9, 200, 2 ** 31][random(10)] as number;
    tunnel.cloudWire.send(round % 3 === 0 ? Buffer.alloc(1 + random(14), 128 + random(128)) : encodeFrame(id, type, noise), () => undefined);
    if (round % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  session.write('alive');
  expect(String((await once(here, 'data'))[0])).toBe('alive');
  expect(tunnel.garbage.length).toBeGreaterThan(100);
});
