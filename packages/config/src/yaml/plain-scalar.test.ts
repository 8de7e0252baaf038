import { describe, expect, it } from 'vitest';
import { plainScalar } from './plain-scalar.js';

describe('plain scalars of YAML 1.1', () => {
  it.each([
    ['yes', true],
    ['On', true],
    ['n', false],
    ['OFF', false],
    ['tRue', 'tRue'],
    ['~', null],
    ['', null],
    ['Null', null],
    ['0777', 511],
    ['0o17', 15],
    ['0x1F', 31],
    ['0b101', 5],
    ['1_000', 1000],
    ['-12', -12],
    ['08', 8],
    ['1.5', 1.5],
    ['1e3', 1000],
    ['.inf', Infinity],
    ['1:30', '1:30'],
    ['2026-01-02', '2026-01-02'],
    ['1.2.3.4', '1.2.3.4'],
    ['10s', '10s'],
    ['-', '-'],
  ])('[config-1.4] reads %j as %j', (text, value) => {
    expect(plainScalar(text)).toBe(value);
  });
});
