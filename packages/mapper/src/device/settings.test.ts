import { expect, it } from 'vitest';
import { Settings } from './settings.js';

const settings = new Settings('property flow of device default/dev1', { text: 'abc', number: 5, digits: '502', part: 0.5, yes: true, no: 'false', word: 'holdingregister' });

it('[mapper-2.10] settings are read by type, with fallbacks', () => {
  expect(settings.text('text')).toBe('abc');
  expect(settings.text('number')).toBe('5');
  expect(settings.text('nothing', 'x')).toBe('x');
  expect(settings.number('digits')).toBe(502);
  expect(settings.integer('nothing', 7)).toBe(7);
  expect(settings.flag('yes')).toBe(true);
  expect(settings.flag('no', true)).toBe(false);
  expect(settings.choice('word', ['CoilRegister', 'HoldingRegister'])).toBe('HoldingRegister');
  expect(settings.text('toString', 'own keys only')).toBe('own keys only');
});

it.each([
  [() => settings.text('nothing'), 'configData.nothing is missing, expected a text'],
  [() => settings.number('text'), 'configData.text is "abc", expected a number'],
  [() => settings.integer('part'), 'configData.part is 0.5, expected a whole number'],
  [() => settings.flag('number'), 'configData.number is 5, expected true or false'],
  [() => settings.choice('text', ['a', 'b']), 'configData.text is "abc", expected one of a, b'],
])('[mapper-2.11] a wrong setting is named with its owner, its value and what would be right (%#)', (read, message) => {
  expect(read).toThrow(expect.objectContaining({ code: 'mapper.bad-setting', message: `property flow of device default/dev1: ${message}` }));
});
