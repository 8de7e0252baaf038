import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from '../src/index.js';
import { rows } from '../src/schema/rows.js';
import { schema } from '../src/schema/schema.js';
import { host, problemsOf } from './help.js';

/** Accepted, or refused with the one error there is; any other throw fails the test. */
function outcome(text: string): 'accepted' | 'refused' {
  try {
    loadConfig(text, host);
    return 'accepted';
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).message.length).toBeLessThan(100_000);
    return 'refused';
  }
}

/** Just below the size that is refused unread. */
const LARGE = 128 * 1024 - 20;
const fill = (unit: string, length = LARGE): string => unit.repeat(Math.floor(length / unit.length));

const bomb = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]', ...Array.from({ length: 12 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array.from({ length: 10 }, () => `*a${i}`).join(', ')}]`)].join('\n');
const mergeBomb = `a: &a {${Array.from({ length: 6_000 }, (_, i) => `k${i}: 1`).join(', ')}}\nb:\n  <<: [${Array.from({ length: 12_000 }, () => '*a').join(', ')}]\n`;

describe('hostile input', () => {
  it.each([
    ['a 12 MiB file', 'x: y\n'.repeat(2_500_000)],
    ['a bomb of aliases', bomb],
    ['a bomb of merge keys', mergeBomb],
    ['brackets without end', fill('[')],
    ['braces without end', fill('{a: ')],
    ['list marks without end', fill('- ')],
    ['key marks without end', fill('? ')],
    ['nesting by indentation', Array.from({ length: 480 }, (_, i) => `${' '.repeat(i)}k:`).join('\n')],
    ['nested lists by indentation', Array.from({ length: 480 }, (_, i) => `${' '.repeat(i)}-`).join('\n')],
    ['quotes without end', fill('"a')],
    ['wrong types a thousandfold', `modules:\n  edgeHub: {${Array.from({ length: 8_000 }, () => 'heartbeat: x').join(', ')}}\n`],
    ['a list of wrong things', `modules: {edged: {tailoredKubeletConfig: {clusterDNS: [${fill('[],', 120_000)}]}}}`],
    ['anchors everywhere', fill('&a ')],
    ['alias of alias', fill('*a ')],
    ['broken tags', fill('!<a ')],
    ['nothing but NUL', fill('\0')],
    ['one endless key', `${fill('k', LARGE - 10)}: [`],
  ])('[config-7.1] %s is refused with words', (name, text) => {
    // All but the first are small enough to be read, or this would test nothing.
    expect(problemsOf(text)[0]?.kind === 'size').toBe(name === 'a 12 MiB file');
  });

  it.each([
    ['unknown keys without end', Array.from({ length: 10_000 }, (_, i) => `key${i}: 1`).join('\n')],
    ['one unknown key again and again', fill('key: 1\n')],
    ['one endless comment', `# ${fill('c', LARGE - 10)}`],
    ['blank lines', fill('\n')],
    ['a thousand documents', fill('---\na: 1\n', 100_000)],
  ])('[config-7.2] %s is no harm', (_, text) => {
    expect(outcome(text)).toBe('accepted');
  });

  it('[config-7.3] no more than a hundred problems are told, and the rest is counted', () => {
    const kubelet = rows(schema).filter(({ path }) => path.startsWith('modules.edged.tailoredKubeletConfig.')).map(({ path }) => path.split('.')[3] ?? '');
    const problems = problemsOf(`modules: {edged: {tailoredKubeletConfig: {${[...new Set(kubelet)].map((key) => `${key}: [[[1]]]`).join(', ')}, oomScoreAdj: x}}, edgeHub: [], eventBus: [], metaManager: [], serviceBus: [], deviceTwin: [], dbTest: [], edgeStream: [], taskManager: []}\nkind: []\napiVersion: []\nedgecoreVersion: []\ndatabase: []\nedge: []\nfeatureGates: []\n`);
    expect(problems).toHaveLength(101);
    expect(problems.at(-1)?.expected).toMatch(/^\d+ more problems are not shown$/);
  });

  it('[config-7.4] any text gives a configuration or the one error', () => {
    const pieces = fc.constantFrom('modules', 'edgeHub', 'edged', ':', ': ', '\n', '\n  ', '\n    ', '- ', '[', ']', '{', '}', ',', '&a', '*a', '!!str', '"', "'", '|', '>', '#', '? ', '<<', '\t', 'null', 'true', '1', '---', '...', '%YAML 1.1', '@', '\0', '\u2028', 'token');
    fc.assert(fc.property(fc.array(fc.oneof(pieces, fc.string({ unit: 'binary', maxLength: 4 })), { maxLength: 40 }), (parts) => void outcome(parts.join(''))), { numRuns: 1500 });
  });

  it('[config-7.5] any value at any key gives a configuration or the one error', () => {
    const paths = rows(schema).map((row) => row.path.split('.'));
    const leaf = fc.oneof(fc.string(), fc.integer(), fc.double(), fc.boolean(), fc.constant(null), fc.bigInt().map(String), fc.constantFrom('1m', '-1', '0x', '1e400', ':', '[::]:1', '::1'));
    const value = fc.oneof(leaf, fc.array(leaf, { maxLength: 3 }), fc.dictionary(fc.string(), leaf, { maxKeys: 3 }), fc.array(fc.dictionary(fc.string(), leaf, { maxKeys: 3 }), { maxLength: 3 }));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...paths), fc.nat(4), value), { minLength: 1, maxLength: 5 }), (settings) => {
        const root: Record<string, unknown> = {};
        for (const [path, cut, given] of settings) {
          const keys = path.slice(0, Math.max(1, path.length - (cut === 4 ? 1 : 0)));
          let parent = root;
          for (const key of keys.slice(0, -1)) {
            const inner = parent[key];
            parent = (typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? inner : (parent[key] = {})) as Record<string, unknown>;
          }
          parent[keys.at(-1) ?? ''] = given;
        }
        outcome(JSON.stringify(root));
      }),
      { numRuns: 1500 },
    );
  });
});
