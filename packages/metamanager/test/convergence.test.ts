import { metaV2Table, type Message, type MetaV2Row } from '@edge/protocol';
import { createMemoryStore } from '@edge/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cloudAnswer, eventually, object, openScene, push } from './scene.js';

const names = fc.constantFrom('a', 'b', 'c');
const kinds = fc.constantFrom('Pod', 'ConfigMap', 'Service');
/** States of objects as the cloud had them, one by one, and how they arrive: shuffled, some twice or more. */
const arrivals = fc
  .array(fc.record({ name: names, kind: kinds, op: fc.constantFrom('insert', 'update') }), { minLength: 1, maxLength: 15 })
  .map((list) => list.map((one, index) => ({ ...one, type: one.kind.toLowerCase(), version: index + 1 })))
  .chain((list) =>
    fc
      .array(fc.nat(list.length - 1), { maxLength: 15 })
      .map((again) => [...list, ...again.flatMap((index) => list[index] ?? [])])
      .chain((all) => fc.shuffledSubarray(all, { minLength: all.length })),
  );

describe('whatever order and how often pushes come', () => {
  it('[metamanager-1.24] the newest state of each object stays in both tables and every single push is acknowledged', async () => {
    await fc.assert(
      fc.asyncProperty(arrivals, async (list) => {
        await using scene = await openScene();
        const messages = list.map(({ op, name, type, kind, version }) => push(op, `default/${type}/${name}`, object(kind, name, version)));
        for (const message of messages) await scene.fromCloud(message);
        await eventually(() => scene.acknowledged().length === messages.length);
        expect(scene.acknowledged().sort()).toEqual(messages.map(({ header }) => header.id).sort());
        const newest = new Map<string, number>();
        for (const { name, type, version } of list) newest.set(`default/${type}/${name}`, Math.max(version, newest.get(`default/${type}/${name}`) ?? 0));
        const v2 = scene.store.table<MetaV2Row>(metaV2Table);
        for (const [key, version] of newest) {
          expect(JSON.parse(scene.objects.value(key) ?? '{}')).toMatchObject({ metadata: { resourceVersion: String(version) } });
          const [, type, name] = key.split('/');
          expect(v2.get({ key: `/core/v1/${type}s/default/${name}` })?.resource_version).toBe(version);
        }
        const heard = () => new Set(scene.edged.received.map(({ route, header }) => `${route.resource} ${header.resourceVersion}`));
        await eventually(() => [...newest].every(([key, version]) => heard().has(`${key} ${version}`)));
        // edged never hears of a state after a newer one.
        const seen = new Map<string, number>();
        for (const { route, header } of scene.edged.received) {
          expect(Number(header.resourceVersion)).toBeGreaterThanOrEqual(seen.get(route.resource) ?? 0);
          seen.set(route.resource, Number(header.resourceVersion));
        }
        expect(seen).toEqual(newest);
      }),
      { numRuns: 60 },
    );
  });

  it('[metamanager-1.25] and whatever fails on the disk meanwhile, nothing is acknowledged that is not stored', async () => {
    await fc.assert(
      fc.asyncProperty(arrivals, fc.array(fc.nat(20), { maxLength: 6 }), async (list, failures) => {
        const store = createMemoryStore();
        await using scene = await openScene({ store });
        const pending = new Map<string, Message>();
        for (const [index, { op, name, type, kind, version }] of list.entries()) {
          const message = push(op, `default/${type}/${name}`, object(kind, name, version));
          pending.set(message.header.id, message);
          if (failures.includes(index)) store.failNext(new Error('disk'));
          await scene.fromCloud(message);
        }
        const answered = () => scene.hub.received.filter(({ header }) => header.parentId !== undefined).length;
        await eventually(() => answered() === list.length);
        // A cloud sends again what was not acknowledged.
        const again = [...pending.values()].filter(({ header }) => !scene.acknowledged().includes(header.id));
        for (const message of again) await scene.fromCloud(message);
        await eventually(() => answered() === list.length + again.length);
        for (const { name, type, version } of list) {
          const stored = scene.objects.identity({ namespace: 'default', type, name });
          expect(Number(stored?.resourceVersion)).toBeGreaterThanOrEqual(version);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('[metamanager-1.26] nothing is ever stored from an error, whatever it answers', async () => {
    const errors = fc.oneof(
      fc.constant({}),
      fc.record({ ErrStatus: fc.record({ status: fc.constant('Failure'), message: fc.string(), code: fc.constantFrom(403, 409, 500, 503) }) }),
      fc.record({ Object: fc.constantFrom(null, { metadata: { name: 'x' } }), Err: fc.constantFrom({}, { ErrStatus: { code: 500 } }, 'boom') }),
    );
    const asks = fc.constantFrom('default/configmap/x', 'default/secret/x', 'null/persistentvolume/x', 'default/volumeattachment/x', 'kube-node-lease/lease/x');
    await fc.assert(
      fc.asyncProperty(errors, asks, fc.constantFrom('query', 'insert', 'update'), async (error, resource, operation) => {
        await using scene = await openScene({ connected: true, cloud: (message) => cloudAnswer(message, error) });
        const answer = await scene.ask({ operation, resource, content: { metadata: { name: 'x' } } });
        expect(answer.content).toEqual(error);
        expect(scene.objects.value(resource)).toBeUndefined();
      }),
      { numRuns: 60 },
    );
  });
});
