import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitsTwin, formatValue, parseValue, type Value, type ValueType } from './values.js';

describe('values', () => {
  it.each<[ValueType, Value, string]>([
    ['INT', 21, '21'],
    ['INT', -0, '0'],
    ['INT', '21', '21'],
    ['INT', 2n ** 63n - 1n, '9223372036854775807'],
    ['FLOAT', 21.3, '21.3'],
    ['FLOAT', Math.fround(21.3), '21.3'],
    ['FLOAT', 1e-7, '0.0000001'],
    ['FLOAT', 1e21, '1000000000000000000000'],
    ['FLOAT', 1e300, `1${'0'.repeat(300)}`],
    ['DOUBLE', -1.5e-9, '-0.0000000015'],
    ['DOUBLE', 0.1 + 0.2, '0.30000000000000004'],
    ['DOUBLE', 7n, '7'],
    ['DOUBLE', '1e3', '1000'],
    ['BOOLEAN', true, 'true'],
    ['BOOLEAN', 'false', 'false'],
    ['STRING', 'open', 'open'],
    ['STRING', 5, '5'],
    ['BYTES', new Uint8Array([0, 255]), '00ff'],
  ])('[mapper-3.10] %s %s is reported as %s', (type, value, text) => {
    expect(formatValue(type, value)).toBe(text);
    expect(fitsTwin(text)).toBe(true);
  });

  it.each<[ValueType, Value]>([
    ['INT', 21.5],
    ['INT', '21.5'],
    ['INT', NaN],
    ['INT', 2n ** 63n],
    ['INT', true],
    ['INT', ''],
    ['FLOAT', Infinity],
    ['FLOAT', 'warm'],
    ['DOUBLE', '0x10'],
    ['BOOLEAN', 1],
    ['BOOLEAN', 'yes'],
    ['BYTES', 'xyz'],
    ['BYTES', 7],
  ])('[mapper-3.11] %s %s is refused', (type, value) => {
    expect(() => formatValue(type, value)).toThrow(expect.objectContaining({ code: 'mapper.bad-value' }));
  });

  it('[mapper-3.12] what was reported reads as the same value', () => {
    const same = (type: ValueType, value: Value): boolean => isDeepStrictEqual(parseValue(type, formatValue(type, value)), value);
    fc.assert(fc.property(fc.maxSafeInteger(), (value) => same('INT', value)));
    fc.assert(fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => BigInt(formatValue('INT', value)) === value));
    fc.assert(fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => Number(formatValue('DOUBLE', value)) === value));
    fc.assert(fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => Math.fround(Number(formatValue('FLOAT', value))) === value));
    fc.assert(fc.property(fc.uint8Array(), (value) => same('BYTES', value)));
    fc.assert(fc.property(fc.string(), (value) => same('STRING', value)));
  });
});
