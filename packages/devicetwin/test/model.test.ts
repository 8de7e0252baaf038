import fc from 'fast-check';
import { createMemoryStore } from '@edge/testing';
import { expect, it } from 'vitest';
import { confirmationTable } from '../src/sync/confirmations.js';
import { eventually, openScene, settle, type Scene } from './support/scene.js';

/** Random life of a few devices against the simplest model of what must come of it: the newest accepted value of each property, on both sides. */
type Step =
  | { readonly do: 'add' | 'remove' | 'restart' | 'link' | 'fail' }
  | { readonly do: 'report'; readonly device: string; readonly name: string; readonly value: string | null };

const device = fc.constantFrom('ns/a', 'ns/b');
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 20, arbitrary: fc.record({ do: fc.constant('report' as const), device, name: fc.constantFrom('p', 'q', 'r'), value: fc.oneof({ weight: 5, arbitrary: fc.integer({ min: 0, max: 5 }).map(String) }, { weight: 1, arbitrary: fc.constant(null) }) }) },
  { weight: 1, arbitrary: fc.constant({ do: 'restart' } as const) },
  { weight: 3, arbitrary: fc.constant({ do: 'link' } as const) },
  { weight: 1, arbitrary: fc.constant({ do: 'remove' } as const) },
  { weight: 1, arbitrary: fc.constant({ do: 'add' } as const) },
  { weight: 2, arbitrary: fc.constant({ do: 'fail' } as const) },
);

it('[twin-8.1] random reports, deletions, restarts, cuts and failing disks: rows and the cloud end with the newest value of each property', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 80 }), async (steps) => {
      const store = createMemoryStore();
      const cloud = new Map<string, Map<string, string>>();
      const model = new Map<string, Map<string, string>>();
      let connected = false;
      const open = (): Promise<Scene> =>
        openScene({
          store,
          connected,
          cloud: (message) => {
            const [, ns, name] = message.route.resource.split('/');
            const known = cloud.get(`${ns}/${name}`) ?? new Map<string, string>();
            const { twin } = message.content as { twin: Record<string, { actual?: { value?: string } }> };
            for (const [key, value] of Object.entries(twin)) {
              if (value.actual?.value === undefined) known.delete(key);
              else known.set(key, value.actual.value);
            }
            cloud.set(`${ns}/${name}`, known);
            return { header: { id: `a${message.header.id}`, parentId: message.header.id, timestamp: 0 }, route: { source: 'devicecontroller', group: 'twin', operation: 'response', resource: 'twin' }, content: 'OK' };
          },
        });
      let scene = await open();
      const turn = (): Promise<string> => scene.publish('$hw/events/node/x/membership/get', {});
      try {
        for (const one of steps) {
          if (one.do === 'report') {
            const known = model.get(one.device);
            const twin = { [one.name]: one.value === null ? null : { actual: { value: one.value } } };
            expect(await scene.publish(`$hw/events/device/${one.device}/twin/update`, { twin })).toBe('response');
            if (known && one.value !== null) known.set(one.name, one.value);
            if (known && one.value === null) known.delete(one.name);
          } else if (one.do === 'add') {
            await scene.membership({ added: [{ id: 'ns/b' }, { id: 'ns/a' }] });
            await turn();
            for (const id of ['ns/a', 'ns/b']) if (!model.has(id)) model.set(id, new Map());
          } else if (one.do === 'remove') {
            await scene.membership({ removed: [{ id: 'ns/b' }] });
            await turn();
            model.delete('ns/b');
            cloud.delete('ns/b');
          } else if (one.do === 'restart') {
            await scene[Symbol.asyncDispose]();
            scene = await open();
          } else if (one.do === 'link') {
            connected = !connected;
            if (connected) scene.connect();
            else scene.disconnect();
          } else if (one.do === 'fail') {
            // Nothing else is in the group that fails.
            await settle(3);
            store.failNext(new Error('disk full'));
            const outcome = await scene.publish('$hw/events/device/ns/a/twin/update', { twin: { p: { actual: { value: 'lost' } } } });
            expect(outcome).toBe(model.has('ns/a') ? 'error' : 'response');
            await store.commit(() => undefined).catch(() => undefined);
          }
        }
        if (!connected) scene.connect();
        const live = scene.twinRows().filter(({ attr_type }) => attr_type !== 'deleted');
        const expected = [...model].flatMap(([id, twins]) => [...twins].map(([name, value]) => `${id} ${name} ${value}`)).sort();
        expect(live.map((row) => `${row.deviceid} ${row.name} ${row.actual}`).sort()).toEqual(expected);
        expect(scene.deviceRows().map(({ id }) => id).sort()).toEqual([...model.keys()].sort());
        await eventually(() => scene.store.table(confirmationTable).count() === scene.twinRows().length);
        await eventually(() => {
          const seen = [...cloud].flatMap(([id, twins]) => [...twins].map(([name, value]) => `${id} ${name} ${value}`)).sort();
          return JSON.stringify(seen) === JSON.stringify(expected);
        });
      } finally {
        await scene[Symbol.asyncDispose]();
      }
    }),
    { seed: 4711, numRuns: 25, endOnFailure: true },
  );
}, 120_000);
