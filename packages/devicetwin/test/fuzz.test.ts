import { createMessage } from '@edge/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventually, openScene, type Scene } from './support/scene.js';

const DEV = 'default/dev1';
const SEED = 20_261_122;
const ROUNDS = 10_000;

const topicPart = fc.constantFrom('$hw', 'events', 'device', 'node', 'default', 'dev1', 'twin', 'update', 'get', 'state', 'cloud_updated', 'membership', 'updated', 'result', '', '+', '#', '__proto__', '\u0000', 'ü');
const topic = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(`$hw/events/device/${DEV}/twin/update`, `$hw/events/device/${DEV}/state/update`, `$hw/events/device/${DEV}/twin/get`, '$hw/events/node/edge-1/membership/get') },
  { weight: 2, arbitrary: fc.array(topicPart, { maxLength: 9 }).map((parts) => ['$hw', 'events', ...parts].join('/')) },
  { weight: 1, arbitrary: fc.string() },
);
const name = fc.constantFrom('twin', 'Twin', 'event_id', 'timestamp', 'state', 'State', 'expected', 'actual', 'value', 'metadata', 'type', 'optional', 'expected_version', 'actual_version', 'cloud', 'edge', 't', 'u', '__proto__', 'constructor', 'toString', '');
const leaf = fc.oneof(fc.constantFrom('', '1', 'x', 'int', 'float', 'deleted', 'boolean', 'string', 'online', null, true, false, 0, -1, 1.5, 1e308, 9_007_199_254_740_993), fc.string());
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof({ maxDepth: 6, depthSize: 'small' }, leaf, fc.array(tie('tree'), { maxLength: 3 }), fc.dictionary(name, tie('tree'), { maxKeys: 5 })),
}));
const side = fc.record({ value: leaf, metadata: tree }, { requiredKeys: [] });
const twin = fc.dictionary(name, fc.option(fc.record({ expected: side, actual: side, optional: leaf, metadata: fc.record({ type: leaf }, { requiredKeys: [] }), expected_version: tree }, { requiredKeys: [] })), { maxKeys: 4 });
const payload = fc.oneof(
  fc.record({ event_id: leaf, timestamp: leaf, twin }, { requiredKeys: ['twin'] }).map((value) => JSON.stringify(value)),
  tree.map((value) => JSON.stringify(value) ?? ''),
  fc.string(),
  fc.constantFrom('{', '[]', 'null', '{"twin":{"t":{"actual":{}}}}', '['.repeat(100_000), `{"twin":${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}}`),
);

/** A report of a healthy client is answered, and what memory says is what the store says. */
async function works(scene: Scene, mark: string): Promise<void> {
  expect(await scene.publish(`$hw/events/device/${DEV}/twin/update`, { event_id: mark, timestamp: 1, twin: { alive: { actual: { value: mark } } } })).toBe('response');
  expect(scene.published.filter(({ topic: at }) => at.endsWith('/twin/update/result')).at(-1)?.payload).toContain(`"event_id":"${mark}"`);
  await scene.publish(`$hw/events/device/${DEV}/twin/get`, { event_id: 'g' });
  const shown = JSON.parse(scene.published.at(-1)?.payload ?? '') as { twin: Record<string, { actual?: { value: string } }> };
  const rows = scene.twinRows().filter(({ attr_type }) => attr_type !== 'deleted');
  expect(Object.keys(shown.twin).sort()).toEqual(rows.map((row) => row.name).sort());
  for (const row of rows) expect(Object.entries(shown.twin).find(([key]) => key === row.name)?.[1].actual?.value ?? '').toBe(row.actual);
}

describe('hostile input', () => {
  it(`[twin-7.1] ${ROUNDS} random topics and payloads: each is answered, nothing dies, the device works on`, async () => {
    await using scene = await openScene();
    await scene.membership({ added: [{ id: DEV, name: 'dev1' }] });
    await works(scene, 'before');
    const inputs = fc.sample(fc.tuple(topic, payload), { seed: SEED, numRuns: ROUNDS });
    for (let from = 0; from < inputs.length; from += 500) {
      const answers = await Promise.all(inputs.slice(from, from + 500).map(([at, text]) => scene.publish(at, text)));
      expect(new Set(answers)).toEqual(new Set(['response']));
      await works(scene, `mark${from}`);
    }
    expect(scene.running.letters).toEqual([]);
    expect(scene.running.core.health.value['devicetwin']).toMatchObject({ phase: 'ready', restarts: 0 });
    expect(scene.deviceRows()).toHaveLength(1);
    expect(scene.running.lines.length).toBeLessThan(30);
  }, 120_000);

  it('[twin-7.2] random messages of the cloud: what is none is set aside, the rest is carried out', async () => {
    await using scene = await openScene();
    await scene.membership({ added: [{ id: DEV, name: 'dev1' }] });
    const device = fc.record({ id: fc.oneof(leaf, fc.constantFrom('ns/a', 'ns/b', 'c')), name: leaf, twin: fc.oneof(twin, tree), attributes: tree, state: leaf }, { requiredKeys: ['id'] });
    const content = fc.oneof(tree, fc.record({ added_devices: fc.oneof(fc.array(device, { maxLength: 3 }), tree), removed_devices: fc.oneof(fc.array(device, { maxLength: 2 }), tree) }, { requiredKeys: [] }), fc.record({ event_id: leaf, twin: fc.oneof(twin, tree) }));
    const resource = fc.constantFrom('membership', `device/${DEV}/twin/cloud_updated`, 'device/x/twin/cloud_updated', 'device//twin/cloud_updated');
    for (const [at, body] of fc.sample(fc.tuple(resource, content), { seed: SEED, numRuns: 2000 })) {
      await scene.fromCloud(createMessage({ source: 'devicecontroller', group: 'twin', operation: 'update', resource: at, content: body }));
    }
    await works(scene, 'after');
    await eventually(() => scene.running.letters.length > 100);
    expect(scene.running.core.health.value['devicetwin']).toMatchObject({ phase: 'ready', restarts: 0 });
  }, 120_000);
});
