import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../types/object.js';
import { EncodedObjects } from './encoded-objects.js';

const object = (name: string, more: object = {}): KubeObject => ({
  apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default', uid: name, resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' }, ...more,
});

describe('JSON that is kept', () => {
  it.each([0, 300, 1_000_000])('[kubeapi-12.1] is byte for byte that of the object, the list and the event, with %i bytes to keep it in', (limit) => {
    const encoded = new EncodedObjects({ limit });
    const items = ['a', 'b', 'c'].map((name) => object(name, { data: { text: `${name} "quoted" \u00e9 \u{1f600} \n`, gone: undefined } }));
    const metadata = { resourceVersion: '7', continue: 'x' };
    for (let round = 0; round < 3; round += 1) {
      for (const item of items) {
        expect(encoded.object(item).toString()).toBe(`${JSON.stringify(item)}\n`);
        expect(encoded.event({ type: 'ADDED', object: item }).toString()).toBe(`${JSON.stringify({ type: 'ADDED', object: item })}\n`);
        expect(encoded.event({ type: 'BOOKMARK', object: item }).toString()).toBe(`${JSON.stringify({ type: 'BOOKMARK', object: item })}\n`);
      }
      for (const count of [0, 1, 3]) {
        const list = { apiVersion: 'v1', kind: 'ConfigMapList', metadata, items: items.slice(0, count) };
        expect(encoded.list(list).toString()).toBe(`${JSON.stringify(list)}\n`);
      }
    }
  });

  it('[kubeapi-12.2] is written out once while there is room, and again when there is none', () => {
    let written = 0;
    const counted = (name: string): KubeObject => object(name, { data: { toJSON: () => { written += 1; return {}; } } });
    const [a, b] = [counted('a'), counted('b')];
    const roomy = new EncodedObjects({ limit: 10_000 });
    for (let i = 0; i < 5; i += 1) roomy.object(a);
    expect(written).toBe(1);
    const tight = new EncodedObjects({ limit: 200 });
    for (let i = 0; i < 5; i += 1) { tight.object(a); tight.object(b); }
    expect(written).toBe(11);
  });
});
