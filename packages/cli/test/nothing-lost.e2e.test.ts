import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createRelay, createTestCa, loops, type RelayMode } from '@edge/testing';
import { expect, it } from 'vitest';
import { eventually, temporaryFolder } from './support/agent.js';
import { scriptedHub } from './support/scripted-hub.js';

const EVENTS = loops(100_000, 15_000);
const KEYS = 50;
const CUTS = loops(50, 12);
const KILLS = loops(20, 5);
const PRODUCER = fileURLToPath(new URL('../dist-bundle/test/producer-main.mjs', import.meta.url));
const MODES: readonly RelayMode[] = ['drop', 'refuse', 'garble', 'one-way', 'stall'];

it(`[outbox-e2e-1.1] ${EVENTS} events and ${EVENTS / 10} states get through ${CUTS} cuts and ${KILLS} kills: none is lost, order holds per key, states converge`, { timeout: 600_000 }, async () => {
  await using folder = await temporaryFolder();
  const ca = await createTestCa();
  const seen = new Map<number, Set<string>>();
  const lastOfKey = new Array<number>(KEYS).fill(0);
  const states = new Map<string, number>();
  let outOfOrder = 0;
  let copies = 0;
  await using hub = await scriptedHub(ca, (message) => {
    if (message.route.operation === 'insert' && message.route.resource.startsWith('default/event/')) {
      const { key, seq } = message.content as { key: number; seq: number };
      const ids = seen.get(seq);
      if (!ids) {
        seen.set(seq, new Set([message.header.id]));
        if (seq < (lastOfKey[key] ?? 0)) outOfOrder += 1;
        lastOfKey[key] = Math.max(seq, lastOfKey[key] ?? 0);
      } else if (ids.has(message.header.id)) copies += 1;
      else ids.add(message.header.id);
      return undefined;
    }
    if (message.route.operation === 'patch') {
      states.set(message.route.resource, (JSON.parse(message.content as string) as { status: { seq: number } }).status.seq);
      return { Object: { metadata: { name: 'p' } }, Err: null };
    }
    return undefined;
  });
  await using relay = await createRelay(hub.port);
  const orders = await writeOrders(folder.path, relay.port, ca);

  let child: ChildProcess = spawn(process.execPath, [PRODUCER, orders], { stdio: 'inherit' });
  try {
    let cuts = 0;
    let kills = 0;
    const arrived = (): number => seen.size;
    // Cuts and kills spread over the run: each when a further share of the events has arrived.
    const step = EVENTS / (CUTS + KILLS + 2);
    for (let act = 1; act <= CUTS + KILLS; act += 1) {
      await eventually(() => arrived() >= Math.min(act * step, EVENTS), 180_000, () => `only ${arrived()} of ${EVENTS} events arrived before act ${act}`);
      if ((act % 7 === 3 || act % 7 === 6) && kills < KILLS) {
        child.kill('SIGKILL');
        await once(child, 'exit');
        kills += 1;
        child = spawn(process.execPath, [PRODUCER, orders], { stdio: 'inherit' });
      } else {
        relay.set(MODES[cuts % MODES.length] as RelayMode);
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 300));
        relay.set('open');
        if (cuts % 2 === 0) relay.reset();
        cuts += 1;
      }
    }
    expect({ cuts, kills }).toEqual({ cuts: CUTS, kills: KILLS });
    await eventually(() => arrived() === EVENTS, 180_000, () => `${EVENTS - arrived()} events were lost`);
    await eventually(
      () => [...Array(KEYS).keys()].every((key) => (states.get(`default/podpatch/p${key}`) ?? 0) === finalState(key)),
      30_000,
      () => `states did not converge: ${JSON.stringify([...states])}`,
    );
    expect(outOfOrder).toBe(0);
    // On a path as short as this one message at most is under way unconfirmed.
    expect(copies).toBeLessThanOrEqual(CUTS + KILLS);
  } finally {
    const gone = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
    child.kill('SIGTERM');
    await gone;
  }
});

/** Last multiple of 10 that falls on the key; 0 when none does. */
function finalState(key: number): number {
  for (let seq = EVENTS; seq > 0; seq -= 1) if (seq % 10 === 0 && seq % KEYS === key) return seq;
  return 0;
}

async function writeOrders(folder: string, port: number, ca: Awaited<ReturnType<typeof createTestCa>>): Promise<string> {
  const files = { ca: join(folder, 'ca.crt'), certificate: join(folder, 'server.crt'), key: join(folder, 'server.key') };
  const pair = await ca.node('edge-1');
  mkdirSync(folder, { recursive: true });
  writeFileSync(files.ca, ca.certificate);
  writeFileSync(files.certificate, pair.certificate);
  writeFileSync(files.key, pair.privateKey, { mode: 0o600 });
  const edgeHub = {
    httpServer: `https://127.0.0.1:${port}`,
    websocket: { server: `127.0.0.1:${port}` },
    // The window of unconfirmed messages is rate × round trip: at this rate one message, also on a busy machine.
    messageQPS: 1000,
    messageBurst: 1000,
    rotateCertificates: false,
    tlsCaFile: files.ca,
    tlsCertFile: files.certificate,
    tlsPrivateKeyFile: files.key,
  };
  const orders = join(folder, 'orders.json');
  writeFileSync(orders, JSON.stringify({ database: join(folder, 'edgecore.db'), node: 'edge-1', events: EVENTS, keys: KEYS, config: { modules: { edgeHub } } }));
  return orders;
}
