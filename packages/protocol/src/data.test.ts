import { describe, expect, it } from 'vitest';
import { isFields, sameData, timestamp } from './data.js';

describe('JSON data', () => {
  it('[protocol-data.1] an object is neither a list nor null', () => {
    expect([{}, { a: 1 }, [], null, 'x', 1, undefined].map(isFields)).toEqual([true, true, false, false, false, false, false]);
  });

  it.each([
    [{ a: 1, b: [{ c: null }] }, { b: [{ c: null }], a: 1 }],
    [{ a: 1, b: undefined }, { a: 1 }],
    [[1, 'x', null], [1, 'x', null]],
  ])('[protocol-data.2] %j equals %j: neither order nor undefined fields count', (a, b) => {
    expect(sameData(a, b)).toBe(true);
    expect(sameData(b, a)).toBe(true);
  });

  it.each([
    [{ a: 1 }, { a: 1, b: null }],
    [{ a: 1 }, { b: 1 }],
    [[1, 2], [2, 1]],
    [[], {}],
    [{}, null],
    [1, '1'],
    [{ toString: undefined, a: 1 }, { b: 1 }],
    [{ toString: Object.prototype.toString }, {}],
  ])('[protocol-data.3] %j differs from %j', (a, b) => {
    expect(sameData(a, b)).toBe(false);
    expect(sameData(b, a)).toBe(false);
  });

  it('[protocol-data.4] a time stamp has whole seconds in UTC', () => {
    expect(timestamp(1_700_000_000_999)).toBe('2023-11-14T22:13:20Z');
  });
});
