// `npm run parity`: writes at the end of each page of docs/parity what the tests that it cites say. `--check` writes nothing and
// ends with 1 when a page is stale, an id stands twice, or a page cites one that no test has.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './bootstrap.mjs';
import { citedIn, collectTests, doubled } from './docs/test-ids.mjs';

const BEGIN = '<!-- tests:begin, written by "npm run parity" -->';
const END = '<!-- tests:end -->';

/** All tests, and all pages with the ids that they cite. */
export function survey(folder = root) {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '*.ts', '*.md'], { cwd: folder, encoding: 'utf8' }).split('\0').filter((name) => name !== '');
  const files = listed.filter((file) => !file.includes('/fixtures/')).sort();
  const read = (file) => {
    try {
      return readFileSync(join(folder, file), 'utf8');
    } catch (error) {
      // Taken away, and not yet from the index.
      if (error.code === 'ENOENT') return undefined;
      throw error;
    }
  };
  const tests = collectTests(folder, files.filter((file) => file.endsWith('.ts') && read(file) !== undefined));
  const pages = files.filter((file) => file.endsWith('.md')).flatMap((file) => (read(file) === undefined ? [] : [{ file, text: read(file), ...citedIn(read(file), tests) }]));
  return { tests, pages };
}

/** A page of docs/parity as it has to be. */
export function withTable(page, tests) {
  const bare = page.text.replace(new RegExp(`\\n*${BEGIN}[\\s\\S]*?${END}\\n*`), '\n').trimEnd();
  if (page.ids.length === 0) return `${bare}\n`;
  const rows = page.ids
    .flatMap((id) => tests.filter((test) => test.id === id).slice(0, 1))
    .sort((one, other) => compare(one.id, other.id))
    .map(({ id, title, file }) => `| \`${id}\` | ${title.replace(/[|\\<>*_[\]`]/g, '\\$&')} | [${file.split('/').at(-1)}](../../${file}) |`);
  return `${bare}\n\n${BEGIN}\n## Tests of this page\n\n| id | what holds | file |\n|---|---|---|\n${rows.join('\n')}\n${END}\n`;
}

function compare(one, other) {
  const parts = (id) => /^(.*)-(\d+)(?:\.(\d+))?$/.exec(id).slice(1);
  const [a, b] = [parts(one), parts(other)];
  return a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : Number(a[1]) - Number(b[1]) || Number(a[2] ?? 0) - Number(b[2] ?? 0);
}

/** What is wrong, a line each; nothing when all is well. */
export function problemsOf({ tests, pages }) {
  return [
    ...doubled(tests),
    ...pages.flatMap(({ file, unknown }) => unknown.map((id) => `${file} cites [${id}], which no test has; put in the right id or take it out`)),
    ...pages.filter((page) => page.file.startsWith('docs/parity/') && page.text !== withTable(page, tests)).map(({ file }) => `${file} is stale: run "npm run parity" and commit what it writes`),
  ];
}

function main(args) {
  const found = survey();
  if (!args.includes('--check')) {
    for (const page of found.pages.filter(({ file }) => file.startsWith('docs/parity/'))) {
      const text = withTable(page, found.tests);
      if (text !== page.text) process.stdout.write(`Wrote ${page.file}.\n`);
      writeFileSync(join(root, page.file), text);
      page.text = text;
    }
  }
  const problems = problemsOf(found);
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main(process.argv.slice(2));
