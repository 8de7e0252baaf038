import { describe, expect, it } from 'vitest';
import { isApiError } from '../errors.js';
import { isNestedDeeper, parseYaml } from './yaml-body.js';

const DEEPEST = 200;
const SIZE = 256 * 1024;
const parsed = async (text: string): Promise<unknown> => parseYaml(Buffer.from(text), DEEPEST).catch((error: unknown) => {
  if (isApiError(error)) return error.reason;
  throw error;
});

describe('YAML bodies', () => {
  it('[kubeapi-14.1] are read as YAML or as the JSON that they are', async () => {
    expect(await parsed('a: [1, {b: c}]\nd: |\n  x\n  y\n')).toEqual({ a: [1, { b: 'c' }], d: 'x\ny\n' });
    expect(await parsed('a: &x {b: 1}\nc: *x\n')).toEqual({ a: { b: 1 }, c: { b: 1 } });
    expect(await parsed('a: 1\na: 2\n')).toEqual({ a: 2 });
    expect(await parsed('{"a": [1, 2]}')).toEqual({ a: [1, 2] });
    expect(await parsed('{a: b}')).toEqual({ a: 'b' });
    expect(await parsed(`{"a": "${'x'.repeat(SIZE)}"}`)).toEqual({ a: 'x'.repeat(SIZE) });
    const deep = Array.from({ length: 150 }, (_, i) => `${' '.repeat(i)}a:`).join('\n');
    expect(typeof await parsed(deep)).toBe('object');
  });

  it.each([
    ['brackets', '['.repeat(SIZE)],
    ['braces', '{a: '.repeat(SIZE / 4)],
    ['dashes', '- '.repeat(SIZE / 2)],
    ['question marks', '? '.repeat(SIZE / 2)],
    ['indentation', Array.from({ length: 600 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')],
    ['aliases of aliases', `a: &a [${'x,'.repeat(9)}]\n${['b', 'c', 'd', 'e', 'f', 'g'].map((name, i) => `${name}: &${name} [${`*${'abcdef'[i]},`.repeat(9)}]`).join('\n')}`],
    ['aliases of much', `a: &a ${'x'.repeat(200_000)}\n${Array.from({ length: 90 }, (_, i) => `b${i}: *a`).join('\n')}`],
    ['an alias of itself', 'a: &a [*a, *a, *a]'],
    ['an open quote', `a: "${'x'.repeat(1000)}`],
    ['an unknown alias', 'a: *nobody'],
  ])('[kubeapi-14.2] made to bring the parser down are refused: %s', async (_what, text) => {
    expect(await parsed(text)).toBe('BadRequest');
  });

  it('[kubeapi-14.3] are refused when they are long, before anybody reads them', async () => {
    expect(await parsed('- a\n'.repeat(SIZE / 4 + 1))).toBe('RequestEntityTooLarge');
  });

  it('[kubeapi-14.4] of everyday form are not taken for deep', () => {
    const script = 'data:\n  run.sh: |\n    if [[ -f /x ]]; then\n      echo "{}"\n    fi\n'.repeat(500);
    expect(isNestedDeeper(script, DEEPEST)).toBe(false);
    expect(isNestedDeeper('---\n- a\n- - b\n  - c\n'.repeat(1000), DEEPEST)).toBe(false);
  });
});
