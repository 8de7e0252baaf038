import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { citedIn, doubled, testsIn } from './docs/test-ids.mjs';
import { decisionsPage, problemsOf, survey, withTable } from './parity.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

describe('pages and the tests that they cite', () => {
  const found = survey(root);

  it('[parity-1.1] every id is there once, every cited one is a test, and the tables of docs/parity are current', () => {
    expect(found.tests.length).toBeGreaterThan(2_000);
    expect(found.pages.length).toBeGreaterThan(70);
    expect(problemsOf(found)).toEqual([]);
  });

  it('[parity-1.2] a title that changed, an id twice and one that nobody has are told, with what to do', () => {
    const page = found.pages.find(({ file }) => file === 'docs/parity/edgestream.md');
    if (page === undefined) throw new Error('docs/parity/edgestream.md is not there');
    const cited = page.ids[0];
    const changed = found.tests.map((test) => (test.id === cited ? { ...test, title: 'does something else' } : test));
    expect(problemsOf({ tests: changed, pages: [page] })).toEqual(['docs/parity/edgestream.md is stale: run "npm run parity" and commit what it writes']);
    const twice = [...found.tests, { id: 'edged-5.6', prefix: 'edged', title: '', file: 'packages/x.test.ts', line: 3 }];
    expect(problemsOf({ tests: twice, pages: [] })).toEqual([expect.stringMatching(/^\[edged-5\.6\] stands at packages\/edged\/.*:\d+ and packages\/x\.test\.ts:3; give one of them/)]);
    const wrong = { file: 'README.md', text: '', ...citedIn('as `[edged-5.99]` shows', found.tests) };
    expect(problemsOf({ tests: [], pages: [wrong] })).toEqual(['README.md cites [edged-5.99], which no test has; put in the right id or take it out']);
  });

  it('[parity-1.4] the list of decisions is current, and a number that is given twice is told', () => {
    const decision = (file: string, text: string) => ({ file: `docs/adr/${file}`, text, ids: [], unknown: [] });
    const pages = [decision('0001-one.md', '# 1. One\n'), decision('0002-two.md', '# 2. Two\n'), decision('0002-three.md', '# 2. Three\n'), decision('README.md', '# Decisions\n')];
    expect(problemsOf({ tests: [], pages })).toEqual(['docs/adr/0002-three.md: there is another decision 0002; give it the next free number', expect.stringMatching(/^docs\/adr\/README\.md is stale/)]);
    const current = decision('README.md', decisionsPage(pages.slice(0, 2)));
    expect(current.text).toContain('| [0002](0002-two.md) | Two |');
    expect(problemsOf({ tests: [], pages: [...pages.slice(0, 2), current] })).toEqual([]);
  });

  it('[parity-1.3] what is written into a page does not change it a second time', () => {
    const page = found.pages.find(({ file }) => file === 'docs/parity/edgestream.md');
    if (page === undefined) throw new Error('docs/parity/edgestream.md is not there');
    const once = withTable(page, found.tests);
    expect(once).toContain('| `edgestream-5.1` | ');
    expect(withTable({ ...page, text: once }, found.tests)).toBe(once);
  });
});

describe('ids in sources and pages', () => {
  const tests = ['edged-2.1', 'edged-2.2', 'edged-2.3', 'edged-2.10', 'edged-process-7', 'cli-3.4', 'recorded-4.1', 'recorded-4.2', 'edge-x-1.1'].map((id) => ({ id, prefix: id.slice(0, id.lastIndexOf('-')) }));

  it.each([
    ['one `[edged-2.1]` and a plain word edge-1', ['edged-2.1'], []],
    ['`[edged-2.1]`-`[edged-2.3]`', ['edged-2.1', 'edged-2.2', 'edged-2.3'], []],
    ['`[edged-2.1]` to `[edged-2.10]`', ['edged-2.1', 'edged-2.2', 'edged-2.3', 'edged-2.10'], []],
    ['`[edged-2.3, 2.10, cli-3.4]`', ['edged-2.3', 'edged-2.10', 'cli-3.4'], []],
    ['| so | edged-2.3, 2.1 |', ['edged-2.3', 'edged-2.1'], []],
    ['`[recorded-4.*]` and [edged-process-7]', ['recorded-4.1', 'recorded-4.2', 'edged-process-7'], []],
    ['the chapter [recorded-4]', ['recorded-4.1', 'recorded-4.2'], []],
    ['[edged-2.4], [other-1.1], [recorded-7.*]', [], ['edged-2.4', 'other-1.1', 'recorded-7.*']],
    ['```\n[edged-9.9]\n```\nand v1.32.10-kubeedge-v1.23.1 of node-20.19', [], []],
  ])('[parity-2.1] of a page: %j', (text, ids, unknown) => expect(citedIn(text, tests)).toEqual({ ids, unknown }));

  it('[parity-2.2] of a source: every form of title, with the group that it is in', () => {
    const source = [
      "describe('pods', () => {",
      "  it('[ID-1.1] it\\'s so', () => {});",
      '  it.each([1])(`[ID-1.2] case %i of ${name}`, () => {});',
      '});',
      "it.each(CASES)('[ID-1.3] %s (%s): is refused', () => {});",
      "/** Not a title. [ID-1.4] */ const text = '[ID-1.5]';",
    ].join('\n').replaceAll('ID', 'edged');
    expect(testsIn(source).map(({ id, title }) => [id, title])).toEqual([
      ['edged-1.1', "pods: it's so"],
      ['edged-1.2', 'pods: case … of …'],
      ['edged-1.3', '…: is refused'],
    ]);
    expect(doubled(testsIn(`${source}\n${source}`).map((test) => ({ ...test, file: 'a.test.ts', line: 1 })))).toHaveLength(3);
  });
});
