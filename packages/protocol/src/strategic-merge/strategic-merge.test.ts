import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createStrategicPatch } from './diff.js';
import { strategicMerge } from './merge.js';

const container = (name: string, more: object = {}): object => ({ name, image: 'i', ...more });

describe('strategicMerge', () => {
  const cases: [string, object, object, object][] = [
    ['merges containers by name and keeps the others', { spec: { containers: [container('a'), container('b')] } },
      { spec: { containers: [{ name: 'b', image: 'j' }] } }, { spec: { containers: [container('a'), container('b', { image: 'j' })] } }],
    ['removes a field with null and leaves the rest', { a: 1, b: { c: 2, d: 3 } }, { b: { c: null } }, { a: 1, b: { d: 3 } }],
    ['replaces a list without a rule', { spec: { tolerations: [{ key: 'a' }] } }, { spec: { tolerations: [{ key: 'b' }] } }, { spec: { tolerations: [{ key: 'b' }] } }],
    ['removes an item marked for deletion', { spec: { containers: [container('a'), container('b')] } },
      { spec: { containers: [{ $patch: 'delete', name: 'a' }] } }, { spec: { containers: [container('b')] } }],
    ['replaces a whole list on request', { spec: { containers: [container('a')] } },
      { spec: { containers: [{ $patch: 'replace' }, container('c')] } }, { spec: { containers: [container('c')] } }],
    ['replaces a whole object on request', { metadata: { labels: { a: '1', b: '2' } } }, { metadata: { labels: { $patch: 'replace', c: '3' } } }, { metadata: { labels: { c: '3' } } }],
    ['empties an object marked for deletion', { m: { a: 1 } }, { m: { $patch: 'delete' } }, { m: {} }],
    ['adds to and deletes from a set', { metadata: { finalizers: ['a', 'b'] } },
      { metadata: { finalizers: ['c'], '$deleteFromPrimitiveList/finalizers': ['a'] } }, { metadata: { finalizers: ['b', 'c'] } }],
    ['keeps only the fields named by $retainKeys', { spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } } },
      { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } }, { spec: { strategy: { type: 'Recreate' } } }],
    ['brings items into the asked order and leaves unnamed ones in place', { spec: { containers: [container('a'), container('s'), container('b')] } },
      { spec: { '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }], containers: [{ name: 'a', image: 'k' }] } },
      { spec: { containers: [container('s'), container('b'), container('a', { image: 'k' })] } }],
    ['drops nulls and directives of an object that is new', {}, { a: { b: null, c: 1, $retainKeys: ['c'] }, l: [{ x: null, y: 1 }] }, { a: { c: 1 }, l: [{ y: 1 }] }],
    ['merges container ports by number and service ports by port', { spec: { ports: [{ port: 1, name: 'a' }], containers: [container('c', { ports: [{ containerPort: 1 }] })] } },
      { spec: { ports: [{ port: 1, name: 'b' }], containers: [{ name: 'c', ports: [{ containerPort: 2 }] }] } },
      { spec: { ports: [{ port: 1, name: 'b' }], containers: [container('c', { ports: [{ containerPort: 1 }, { containerPort: 2 }] })] } }],
  ];
  it.each(cases)('[protocol-sm.1] %s', (_title, original, patch, expected) => {
    const copy = structuredClone(original);
    expect(strategicMerge(original, patch)).toEqual(expected);
    expect(original).toEqual(copy);
  });

  it('[protocol-sm.2] refuses items without merge key, unknown directives and bad lists with one code', () => {
    const code = { code: 'protocol.patch' };
    expect(() => strategicMerge({ spec: { containers: [] } }, { spec: { containers: [{ image: 'x' }] } })).toThrowError(expect.objectContaining(code));
    expect(() => strategicMerge({ spec: { containers: [] } }, { spec: { containers: ['x'] } })).toThrowError(expect.objectContaining(code));
    expect(() => strategicMerge({ a: {} }, { a: { $patch: 'explode' } })).toThrowError(expect.objectContaining(code));
    expect(() => strategicMerge({ a: {} }, { a: { $retainKeys: 'x' } })).toThrowError(expect.objectContaining(code));
  });

  it('[protocol-sm.3] never lets a patch reach a prototype', () => {
    const result = strategicMerge({ a: {} }, JSON.parse('{"a":{"__proto__":{"bad":1}},"__proto__":{"bad":1}}') as object);
    expect((result as { bad?: number; a: { bad?: number } }).bad).toBeUndefined();
    expect((result as { a: { bad?: number } }).a.bad).toBeUndefined();
  });
});

describe('createStrategicPatch', () => {
  it('[protocol-sm.4] sends conditions as kubelet does: order, changed fields, merge key', () => {
    const base = (beat: string, ready: string): object => ({ status: { conditions: [
      { type: 'MemoryPressure', status: 'False', lastHeartbeatTime: beat }, { type: 'Ready', status: ready, lastHeartbeatTime: beat },
    ] } });
    expect(createStrategicPatch(base('t1', 'False'), base('t2', 'True'))).toEqual({ status: {
      '$setElementOrder/conditions': [{ type: 'MemoryPressure' }, { type: 'Ready' }],
      conditions: [{ type: 'MemoryPressure', lastHeartbeatTime: 't2' }, { type: 'Ready', status: 'True', lastHeartbeatTime: 't2' }],
    } });
  });

  it('[protocol-sm.5] sends a list that was not there without order, container statuses as a whole, null for what went', () => {
    expect(createStrategicPatch(
      { status: { phase: 'Pending', message: 'm', containerStatuses: [{ name: 'c', ready: false }] } },
      { status: { phase: 'Pending', hostIPs: [{ ip: '192.0.2.2' }], containerStatuses: [{ name: 'c', ready: true }], conditions: [{ type: 'Ready', lastProbeTime: null }] } },
    )).toEqual({ status: {
      message: null, hostIPs: [{ ip: '192.0.2.2' }], containerStatuses: [{ name: 'c', ready: true }], conditions: [{ type: 'Ready', lastProbeTime: null }],
    } });
  });

  it('[protocol-sm.6] is empty when nothing changed', () => {
    expect(createStrategicPatch({ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] })).toEqual({});
  });

  const scalar = fc.oneof(fc.string({ maxLength: 3 }), fc.integer(), fc.boolean());
  const names = fc.constantFrom('a', 'b', 'c', 'd');
  const labels = fc.dictionary(names, scalar);
  /** Objects of the shapes that have rules; `list` decides whether keys may occur twice in a list. */
  function objects(list: <T extends object>(item: fc.Arbitrary<T>, key: keyof T) => fc.Arbitrary<T[]>, finalizers: fc.Arbitrary<string[]>): fc.Arbitrary<object> {
    const port = fc.record({ containerPort: fc.integer({ min: 1, max: 4 }), protocol: fc.constantFrom('TCP', 'UDP') });
    const env = fc.record({ name: names, value: scalar }, { requiredKeys: ['name'] });
    const container = fc.record({ name: names, image: scalar, env: list(env, 'name'), ports: list(port, 'containerPort'), x: labels }, { requiredKeys: ['name'] });
    const volume = fc.record({ name: names, configMap: labels, secret: labels, emptyDir: labels }, { requiredKeys: ['name'] });
    const conditions = list(fc.record({ type: names, status: scalar, message: scalar }, { requiredKeys: ['type'] }), 'type');
    return fc.record({
      metadata: fc.record({ labels, finalizers }, { requiredKeys: [] }),
      spec: fc.record({
        containers: list(container, 'name'), volumes: list(volume, 'name'), strategy: labels,
        tolerations: fc.array(labels, { maxLength: 2 }), any: fc.oneof(scalar, labels, fc.array(scalar)),
      }, { requiredKeys: [] }),
      status: fc.record({ conditions, addresses: conditions }, { requiredKeys: [] }),
    }, { requiredKeys: [] });
  }
  const anyObject = objects((item) => fc.array(item, { maxLength: 4 }), fc.array(names, { maxLength: 4 }));
  const properObject = objects((item, key) => fc.uniqueArray(item, { maxLength: 4, selector: (value) => value[key] }), fc.uniqueArray(names));

  it('[protocol-sm.7] round-trips: merging the patch into the original gives the modified object', () => {
    fc.assert(fc.property(anyObject, anyObject, (original, modified) => {
      const patch = createStrategicPatch(original, modified);
      expect(strategicMerge(original, JSON.parse(JSON.stringify(patch)) as object)).toEqual(modified);
    }), { numRuns: 2000 });
  });

  it('[protocol-sm.8] gives patches that do no more when merged a second time', () => {
    fc.assert(fc.property(properObject, properObject, (original, modified) => {
      const patch = createStrategicPatch(original, modified);
      const once = strategicMerge(original, patch);
      expect(strategicMerge(once, patch)).toEqual(once);
    }), { numRuns: 500 });
  });
});
