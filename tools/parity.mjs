// `npm run parity`: writes at the end of each page of docs/parity what the tests that it cites say, and the list of decisions in
// docs/adr/README.md. `--check` writes nothing and ends with 1 when a page is stale, an id or the number of a decision stands twice,
// or a page cites an id that no test has.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './bootstrap.mjs';
import { citedIn, collectTests, doubled } from './docs/test-ids.mjs';

const BEGIN = '<!-- tests:begin, written by "npm run parity" -->';
const END = '<!-- tests:end -->';
const DECISIONS = 'docs/adr/README.md';

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

const DECISION = /^docs\/adr\/(\d{4})-[a-z0-9-]+\.md$/;

/** The page that lists the decisions, as it has to be. */
export function decisionsPage(pages) {
  const rows = pages
    .filter(({ file }) => DECISION.test(file))
    .map(({ file, text }) => {
      const [, title = ''] = /^# *(?:\d+\. *)?(.*)$/m.exec(text) ?? [];
      return `| [${DECISION.exec(file)[1]}](${file.slice('docs/adr/'.length)}) | ${title.replace(/\|/g, '\\|')} |`;
    });
  return `# Decisions\n\nContext, decision, consequences; a page each. A number once given stays. Written by \`npm run parity\`.\n\n| | decision |\n|---|---|\n${rows.join('\n')}\n`;
}

/** Pages that are written here, as they have to be: path → text. */
function written({ tests, pages }) {
  return new Map([...pages.filter(({ file }) => file.startsWith('docs/parity/')).map((page) => [page.file, withTable(page, tests)]), [DECISIONS, decisionsPage(pages)]]);
}

/** Decisions that have one number. */
function sameNumber(pages) {
  const files = pages.map(({ file }) => file).filter((file) => DECISION.test(file));
  const numbers = files.map((file) => DECISION.exec(file)[1]);
  return files.filter((_, at) => numbers.indexOf(numbers[at]) !== at).map((file) => `${file}: there is another decision ${DECISION.exec(file)[1]}; give it the next free number`);
}

function compare(one, other) {
  const parts = (id) => /^(.*)-(\d+)(?:\.(\d+))?$/.exec(id).slice(1);
  const [a, b] = [parts(one), parts(other)];
  return a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : Number(a[1]) - Number(b[1]) || Number(a[2] ?? 0) - Number(b[2] ?? 0);
}

/** What is wrong, a line each; nothing when all is well. */
export function problemsOf({ tests, pages }) {
  const wanted = written({ tests, pages });
  return [
    ...doubled(tests),
    ...pages.flatMap(({ file, unknown }) => unknown.map((id) => `${file} cites [${id}], which no test has; put in the right id or take it out`)),
    ...sameNumber(pages),
    ...pages.filter((page) => (wanted.get(page.file) ?? page.text) !== page.text).map(({ file }) => `${file} is stale: run "npm run parity" and commit what it writes`),
  ];
}

function main(args) {
  const found = survey();
  if (!args.includes('--check')) {
    for (const [file, text] of written(found)) {
      const page = found.pages.find((one) => one.file === file);
      if (page?.text === text) continue;
      writeFileSync(join(root, file), text);
      process.stdout.write(`Wrote ${file}.\n`);
      if (page) page.text = text;
    }
  }
  const problems = problemsOf(found);
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main(process.argv.slice(2));
