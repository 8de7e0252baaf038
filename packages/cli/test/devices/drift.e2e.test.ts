import { openStore } from '@edge/store';
import { deviceTable, deviceTwinTable, type DeviceTwinRow } from '@edge/protocol';
import { silentLogger } from '@edge/core';
import type { RelayMode } from '@edge/testing';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { eventually } from '../support/agent.js';
import { device, openDriftWorld, type DriftWorld } from './drift-world.js';
import { PROPERTIES, PROTOCOL, TARGET, type Kind } from './world.js';

/** What CI tries; with EDGE_DRIFT=full all of it, with EDGE_DRIFT=RESTARTS=60,CUTS=15 so much of it. */
const CI = { DEVICES: 80, SECONDS: 5, CUTS: 2, RESTARTS: 6, TICK_MS: 1000, SEED: 1 };
const FULL = { ...CI, DEVICES: 200, SECONDS: 600, CUTS: 50, RESTARTS: 200 };
const { DEVICES, SECONDS, CUTS, RESTARTS, TICK_MS, SEED } = settings(process.env['EDGE_DRIFT'] ?? '');

function settings(text: string): typeof CI {
  if (text === 'full') return FULL;
  return { ...CI, ...Object.fromEntries(text.split(',').filter((one) => one !== '').map((one) => [one.split('=')[0], Number(one.split('=')[1])])) };
}

const FLOW_LIMIT_MS = 240_000;
const EQUAL_LIMIT_MS = 240_000;

type Act = 'cut' | 'agent' | 'mapper' | 'broker';

it('[drift-1.1] the cloud, the twins and the devices agree after cuts and restarts in any order, no event is lost, and data flows again by itself', { timeout: (SECONDS + (CUTS + RESTARTS) * 30 + 600) * 1000 }, async () => {
  await using world = await openDriftWorld(DEVICES, TICK_MS);
  const { scene, names } = world;
  const random = seeded(SEED);
  await scene.ready(0, 120_000);
  const flowing = (since: number, kinds: readonly Kind[]): boolean => kinds.every((kind) => world.newest(kind) > since);
  await eventually(() => flowing(0, ['mapped', 'mqtt']), FLOW_LIMIT_MS, () => `no values came to the cloud at all; the agent's log ends:\n${scene.agent.log.slice(-3000)}`);

  world.startEvents();
  const flows: Record<Act, number[]> = { cut: [], agent: [], mapper: [], broker: [] };
  const acts = shuffled([...Array<Act>(CUTS).fill('cut'), ...Array.from({ length: RESTARTS }, (_, index): Act => (['agent', 'mapper', 'broker'] as const)[index % 3] as Act)], random);
  const targets = new Map(names.mapped.map((name) => [name, 5]));
  const startedAt = Date.now();
  for (const [index, act] of acts.entries()) {
    // Spread over the whole time, as far as the acts themselves leave any.
    const due = startedAt + (index * SECONDS * 1000) / acts.length;
    await pause(Math.max(0, due - Date.now()));
    await churn(world, index, random, targets);
    const back = await perform(world, act, random);
    const affected: readonly Kind[] = act === 'broker' ? ['mqtt'] : act === 'mapper' ? ['mapped'] : ['mapped', 'mqtt'];
    await eventually(() => flowing(back, affected), FLOW_LIMIT_MS, () => `no data ${FLOW_LIMIT_MS} ms after act ${index} (${act}): newest ${JSON.stringify(affected.map((kind) => world.newest(kind) - back))}; the agent's log ends:\n${scene.agent.log.slice(-3000)}`);
    flows[act].push(Date.now() - back);
  }

  // Everything stands still while the link is cut; what is reported until then has to come by itself.
  scene.relay.set('refuse');
  await world.freeze();
  scene.relay.set('open');
  const reconnected = Date.now();
  await eventually(() => unequal(world).length === 0, EQUAL_LIMIT_MS, () => `not equal: ${unequal(world).length} of ${DEVICES * PROPERTIES.length}, such as ${unequal(world).slice(0, 5).join('; ')}; the agent's log ends:\n${scene.agent.log.slice(-3000)}`);
  const equalAfter = Date.now() - reconnected;
  await eventually(() => lost(world).length === 0, EQUAL_LIMIT_MS, () => `${lost(world).length} of ${world.events.acknowledged.size} events are lost: ${lost(world).slice(0, 20).join(', ')}`);
  const wrong = (): string[] => [...targets].flatMap(([name, target]) => (world.written(name) === String(target) ? [] : [`${name} is ${world.written(name) ?? 'nothing'}, should be ${target}`]));
  await eventually(() => wrong().length === 0, EQUAL_LIMIT_MS, () => `desired values did not arrive: ${wrong().slice(0, 5).join('; ')}`);

  expect(await scene.agent.stop()).toBe(0);
  expect(await differencesOnTheNode(world)).toEqual([]);
  const words = Object.entries(flows).map(([act, times]) => `${act} ${times.length}× (median ${median(times)} ms, longest ${Math.max(0, ...times)} ms)`);
  console.log(`drift: ${DEVICES} devices, ${Math.round((reconnected - startedAt) / 1000)} s; data flows again after ${words.join(', ')}; equal ${equalAfter} ms after the last reconnect; ${world.events.acknowledged.size} events, none lost`);
});

/** Does it, undoes it after a while, and returns the time at which all was there again. */
async function perform({ scene, broker, ...world }: DriftWorld, act: Act, random: () => number): Promise<number> {
  const gone = 50 + random() * 1000;
  switch (act) {
    case 'cut': {
      const mode = (['refuse', 'stall', 'drop', 'one-way'] as const satisfies readonly RelayMode[])[Math.floor(random() * 4)] ?? 'refuse';
      scene.relay.set(mode);
      await pause(gone);
      scene.relay.set('open');
      // What a network forgot stays dead until it is reset; how soon a dead line is noticed has tests of its own.
      scene.relay.reset();
      return Date.now();
    }
    case 'agent':
      await scene.agent.kill();
      await pause(gone);
      scene.agent.start();
      return Date.now();
    case 'mapper':
      await world.killMapper();
      await pause(gone);
      world.startMapper();
      return Date.now();
    case 'broker':
      await broker.stop();
      await pause(gone);
      await broker.start();
      return Date.now();
  }
}

/** The cloud changes its mind meanwhile: a desired value, and now and then a device that comes or goes. */
async function churn({ devices, names }: DriftWorld, index: number, random: () => number, targets: Map<string, number>): Promise<void> {
  const name = names.mapped[Math.floor(random() * names.mapped.length)] ?? '';
  targets.set(name, index + 10);
  await devices.modify(name, 'default', (copy) => {
    for (const property of copy.spec.properties ?? []) if (property.name === TARGET) property.desired = { value: String(index + 10) };
  });
  if (index % 3 === 0) await devices.create(device(`extra-${index}`, PROTOCOL, 1) as never);
  if (index % 3 === 2 && index > 5) await devices.delete(`extra-${index - 2}`, 'default');
}

/** Properties whose value in the cloud is not that of the device. */
function unequal({ names, status, finalValue }: DriftWorld): string[] {
  return [...names.mapped, ...names.mqtt].flatMap((name) => {
    const twins = new Map(status(name)?.status?.twins?.map(({ propertyName, reported }) => [propertyName, reported?.value]));
    return PROPERTIES.flatMap((property) => (twins.get(property) === finalValue(name, property) ? [] : [`${name} ${property} is ${twins.get(property) ?? 'nothing'}, should be ${finalValue(name, property)}`]));
  });
}

function lost({ events }: DriftWorld): number[] {
  return [...events.acknowledged].filter((number) => !events.arrived.has(number));
}

/** What the rows of the stopped agent and the cloud do not agree on: devices, and the values of all twins. */
async function differencesOnTheNode({ scene, devices, status }: DriftWorld): Promise<string[]> {
  await using store = await openStore({ path: join(scene.folder, 'node', 'agent', 'edgecore.db'), log: silentLogger });
  const assigned = (await devices.list()).items.map(({ metadata }) => `default/${metadata.name}`).sort();
  const rows = store.table(deviceTable).all().map((row) => (row as { id: string }).id).sort();
  const twins = (store.table(deviceTwinTable).all() as DeviceTwinRow[]).filter(({ attr_type: type }) => type !== 'deleted');
  const differing = twins.flatMap(({ deviceid, name, actual }) => {
    const [, device = ''] = deviceid.split('/');
    const there = status(device)?.status?.twins?.find(({ propertyName }) => propertyName === name)?.reported?.value ?? '';
    return there === (actual ?? '') ? [] : [`${deviceid} ${name}: node "${actual}", cloud "${there}"`];
  });
  return [...rows.filter((id) => !assigned.includes(id)).map((id) => `${id} is on the node alone`), ...assigned.filter((id) => !rows.includes(id)).map((id) => `${id} is not on the node`), ...differing];
}

function median(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** The same numbers for the same seed. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items.map((item) => ({ item, at: random() })).sort((one, other) => one.at - other.at).map(({ item }) => item);
}
