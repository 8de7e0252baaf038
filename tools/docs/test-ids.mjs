// The ids of tests, `[edgehub-3.2]`: where tests carry them, and where pages cite them. Read from the sources; nothing is run.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A title as it stands in a source: a string that begins with an id in brackets. */
const TITLE = /(['"`])\[([a-z][a-z0-9]*(?:-[a-z][a-z0-9]*)*)-(\d+(?:\.\d+)?)\] ((?:\\.|(?!\1)[^\\\n])*)\1/g;

const GROUP = /^( *)describe(?:\.\w+\([^()\n]*\))*\((['"`])((?:\\.|(?!\2)[^\\\n])*)\2/gm;

/**
 * All tests that carry an id, in the order of files and lines.
 * @param {string} root folder of the workspace
 * @param {readonly string[]} files paths from there
 * @returns {{ id: string, prefix: string, title: string, file: string, line: number }[]}
 */
export function collectTests(root, files) {
  return files
    .filter((file) => /^(packages|examples|tools)\/.*\.ts$/.test(file) && !file.includes('/generated/'))
    .flatMap((file) => {
      const text = readFileSync(join(root, file), 'utf8');
      return testsIn(text).map(({ at, ...test }) => ({ ...test, file, line: text.slice(0, at).split('\n').length }));
    });
}

/** The tests of one source; `at` is the place of the title in it. */
export function testsIn(text) {
  const groups = [...text.matchAll(GROUP)].map((found) => ({ depth: found[1].length, name: readable(found[3]), at: found.index }));
  return [...text.matchAll(TITLE)].map((found) => {
    const around = groupAround(groups, text, found.index);
    return { id: `${found[2]}-${found[3]}`, prefix: found[2], title: `${around === undefined ? '' : `${around}: `}${readable(found[4])}`, at: found.index };
  });
}

/** The name of the innermost group that a title is in, told by how far it is indented. */
function groupAround(groups, text, at) {
  let depth = /^\s*/.exec(text.slice(text.lastIndexOf('\n', at) + 1))[0].length;
  // A table of cases may stand between: the group is what was begun further left, with nothing that far left after it.
  for (const group of groups.filter((one) => one.at < at).reverse()) {
    if (group.depth >= depth) continue;
    const closed = new RegExp(`^ {0,${group.depth}}\\}\\)`, 'm').test(text.slice(group.at, at));
    if (!closed) return group.name;
    depth = Math.min(depth, group.depth + 1);
  }
  return undefined;
}

/** A title for people: what a table of cases puts in is "…". */
function readable(title) {
  return title
    .replace(/\\(.)/g, '$1')
    .replace(/\s*\((%[sdijof]|%#)\)|: case %#/g, '')
    .replace(/\$\{[^}]*\}|%[sdijofp#]|\$[a-zA-Z]+\b/g, '…');
}

/** Ids that stand at more than one title, each with its places. */
export function doubled(tests) {
  const places = new Map();
  for (const { id, file, line } of tests) places.set(id, [...(places.get(id) ?? []), `${file}:${line}`]);
  return [...places].filter(([, where]) => where.length > 1).map(([id, where]) => `[${id}] stands at ${where.join(' and ')}; give one of them a number that is free`);
}

/**
 * The ids that a page cites, in the order of the page: `[edged-5.6]`, `[edged-2.1]`-`[edged-2.3]` (or "to"), `[recorded-4.*]`,
 * `[cli-3.1, 3.4]`, and in a column of ids without brackets `minicloud-18.3, 18.6`. Code blocks and what this tool has written
 * are passed over.
 * @param {string} text the page
 * @param {readonly { id: string, prefix: string }[]} tests all there are
 * @returns {{ ids: string[], unknown: string[] }} `unknown`: cited, but no test has it
 */
export function citedIn(text, tests) {
  const known = new Set(tests.map(({ id }) => id));
  const prefixes = new Set(tests.map(({ prefix }) => prefix));
  const prose = text.replace(/<!-- tests:begin[\s\S]*?tests:end -->/g, '').replace(/^```[\s\S]*?^```/gm, '');
  const ids = new Set();
  const unknown = new Set();
  const take = (id) => (known.has(id) ? ids : unknown).add(id);
  const one = /(?<![\w./-])(\[?)([a-z][a-z0-9]*(?:-[a-z][a-z0-9]*)*)-(\d+(?:\.(?:\d+|\*))?|\*)(?![\w*/]|-\w|\.\d)/g;
  for (let found = one.exec(prose); found !== null; found = one.exec(prose)) {
    const [, bracket, prefix = '', number = ''] = found;
    // A word such as "edge-1" is no id; what looks like one must be one.
    if (!prefixes.has(prefix) && !(bracket === '[' && /^\d+\.\d+$/.test(number))) continue;
    if (bracket === '' && !/\./.test(number) && !prose.slice(0, found.index).match(/\[[^\][]*$/)) continue;
    // All of a chapter: `[recorded-4.*]`, or `[recorded-4]` where no test is called so.
    if (number.endsWith('*') || (!number.includes('.') && !known.has(`${prefix}-${number}`))) {
      const stem = `${prefix}-${number.endsWith('*') ? number.slice(0, -1) : `${number}.`}`;
      const all = tests.filter(({ id }) => id.startsWith(stem)).map(({ id }) => id);
      if (all.length === 0) unknown.add(`${prefix}-${number}`);
      all.forEach(take);
      continue;
    }
    take(`${prefix}-${number}`);
    let last = number;
    const next = /^(\]?`?(?:, | and |, and ))(\d+\.\d+)(?![\w*]|\.\d)|^(\]?`?(?:-|–| to )`?\[?)(?:([a-z][a-z0-9-]*)-)?(\d+\.\d+)(?![\w*]|\.\d)/;
    for (let rest = prose.slice(one.lastIndex), more = next.exec(rest); more !== null; rest = rest.slice(more[0].length), more = next.exec(rest)) {
      one.lastIndex += more[0].length;
      if (more[2] !== undefined) take(`${prefix}-${more[2]}`);
      else for (const number of between(last, more[5])) if (known.has(`${prefix}-${number}`) || number === more[5]) take(`${prefix}-${number}`);
      last = more[2] ?? more[5];
    }
  }
  return { ids: [...ids], unknown: [...unknown] };
}

/** 2.1 and 2.3: 2.2 and 2.3. A number that no test has was taken out of use. */
function between(first, last) {
  const [chapter, from] = first.split('.').map(Number);
  const [end, to] = last.split('.').map(Number);
  return chapter === end && from < to ? Array.from({ length: to - from }, (_, i) => `${chapter}.${from + 1 + i}`) : [last];
}
