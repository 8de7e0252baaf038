import { describe, expect, it } from 'vitest';
import { isApiError, type StatusReason } from '../errors.js';
import { jsonPatch } from './json-patch.js';
import { mergePatch } from './merge-patch.js';

const failsWith = (reason: StatusReason): Error => expect.toSatisfy((error) => isApiError(error, reason)) as Error;

describe('patches', () => {
  it.each([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }], [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }], [{ a: 'b' }, { a: null }, {}],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }], [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }], [{ a: 'foo' }, null, null], [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }], [[1, 2], { a: 'b' }, { a: 'b' }],
  ])('[kubeapi-3.1] merge patch of %j with %j', (target, patch, expected) => {
    expect(mergePatch(target, patch)).toEqual(expected);
  });

  it('[kubeapi-3.2] applies a JSON patch to a copy, also to the whole document', () => {
    const target = { a: [1, 2], b: { c: 1 } };
    expect(jsonPatch(target, [{ op: 'test', path: '/b/c', value: 1 }, { op: 'add', path: '/a/-', value: 3 }, { op: 'move', from: '/b', path: '/d' }, { op: 'remove', path: '/a/0' }]))
      .toEqual({ a: [2, 3], d: { c: 1 } });
    expect(jsonPatch(target, [{ op: 'replace', path: '', value: { x: 1 } }])).toEqual({ x: 1 });
    expect(target).toEqual({ a: [1, 2], b: { c: 1 } });
  });

  it('[kubeapi-3.3] refuses a JSON patch that is malformed as a bad request and one that does not fit as invalid', () => {
    for (const patch of [{}, 'x', [{ op: 'explode', path: '/a' }], [{ op: 'add' }], [null], [{ op: 'add', path: '/__proto__/x', value: 1 }], Array(2000).fill({ op: 'test', path: '/a', value: 1 })]) {
      expect(() => jsonPatch({ a: 1 }, patch)).toThrowError(failsWith('BadRequest'));
    }
    for (const patch of [[{ op: 'test', path: '/a', value: 2 }], [{ op: 'remove', path: '/nope' }], [{ op: 'replace', path: '/x/y', value: 1 }]]) {
      expect(() => jsonPatch({ a: 1 }, patch)).toThrowError(failsWith('Invalid'));
    }
  });
});
