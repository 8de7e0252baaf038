import { expect, it } from 'vitest';
import { decode, encode, type Place } from './registers.js';

const place = (over: Partial<Place>): Place => ({ register: 'HoldingRegister', offset: 0, limit: 1, scale: 1, isSwap: false, isRegisterSwap: false, isSigned: false, dataType: 'int', ...over });

it.each([
  ['a whole number', [0x1234], place({}), 'INT', 0x1234n],
  ['two registers', [0x0001, 0x0002], place({ limit: 2 }), 'INT', 65538n],
  ['registers in reverse', [0x0002, 0x0001], place({ limit: 2, isRegisterSwap: true }), 'INT', 65538n],
  ['bytes exchanged', [0x3412], place({ isSwap: true }), 'INT', 0x1234n],
  ['both', [0x7856, 0x3412], place({ limit: 2, isSwap: true, isRegisterSwap: true }), 'INT', 0x12345678n],
  ['four registers', [0xffff, 0xffff, 0xffff, 0xffff], place({ limit: 4 }), 'DOUBLE', 2n ** 64n - 1n],
  ['a number below zero', [0xff9c], place({ isSigned: true }), 'INT', -100n],
  ['a scaled number', [215], place({ scale: 0.1 }), 'FLOAT', 21.5],
  ['a float', [0x42a9, 0x8d00], place({ limit: 2, dataType: 'float' }), 'DOUBLE', 84.775390625],
  ['a double', [0x4035, 0x8000, 0, 0], place({ limit: 4, dataType: 'double' }), 'DOUBLE', 21.5],
  ['a boolean', [1], place({ dataType: 'boolean' }), 'BOOLEAN', true],
  ['a text', [0x6162, 0x6300], place({ limit: 2, dataType: 'string' }), 'STRING', 'abc'],
] as const)('[modbus-1.1] reads and writes %s', (_title, registers, where, type, value) => {
  expect(decode(registers, where, type)).toEqual(value);
  expect(encode(value, where)).toEqual([...registers]);
});

it('[modbus-1.2] a whole number that is scaled is cut off', () => {
  expect(decode([219], place({ scale: 0.1 }), 'INT')).toBe(21);
});

it('[modbus-1.3] refuses a number that the registers cannot hold, naming it', () => {
  expect(() => encode(70_000, place({}))).toThrow('70000 does not fit into 1 register without sign');
  expect(() => encode(-1, place({}))).toThrow('-1 does not fit');
  expect(encode(-1, place({ isSigned: true }))).toEqual([0xffff]);
});

it('[modbus-1.4] refuses a text that the registers cannot hold instead of cutting it', () => {
  const two = place({ limit: 2, dataType: 'string' });
  expect(encode('°C', two)).toEqual([0xb043, 0]);
  expect(() => encode('abcde', two)).toThrow('"abcde" does not fit into 2 registers: 5 characters, expected 4 at most');
  expect(() => encode('€', two)).toThrow('"€" has the character "€", expected those of Latin-1');
});
