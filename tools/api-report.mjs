// What a package exports, as text: the declarations that its users get, without comments, each top-level one in its place of the alphabet.
// `npm run api` writes the reports of all packages that are built; `package-check` compares.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { root, run } from './bootstrap.mjs';

/** The report's path below the workspace's root: all of them together, so that a review sees at a glance what a change does to others. */
export const reportPath = (name) => join('docs', 'api', `${name}.txt`);

/**
 * @param {string} folder of a package that is built
 * @returns {string} its report
 */
export function apiReport(folder) {
  const dist = join(folder, 'dist');
  const files = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.d.ts')).sort();
  return files.map((file) => `// ${withoutHash(file)}\n\n${declarations(readFileSync(join(dist, file), 'utf8'))}`).join('\n');
}

/** Lines that only one of two reports has, `-` those of the first. */
export function difference(before, after) {
  const [old, now] = [before.split('\n'), after.split('\n')];
  const [known, found] = [new Set(old), new Set(now)];
  return [...old.filter((line) => !found.has(line)).map((line) => `- ${line}`), ...now.filter((line) => !known.has(line)).map((line) => `+ ${line}`)];
}

function declarations(text) {
  const source = ts.createSourceFile('index.d.ts', text, ts.ScriptTarget.Latest, true);
  const printer = ts.createPrinter({ removeComments: true, newLine: ts.NewLineKind.LineFeed });
  const print = (node) => withoutHash(printer.printNode(ts.EmitHint.Unspecified, node, source));
  // Names stand in the order of their first use.
  const sorted = (line) => line.replace(/\{ (.*) \}/, (_all, names) => `{ ${names.split(', ').sort().join(', ')} }`);
  const imports = source.statements.filter((node) => ts.isImportDeclaration(node)).map((node) => sorted(print(node))).sort();
  const rest = source.statements.filter((node) => !ts.isImportDeclaration(node)).map(print).sort();
  return `${[...imports, ...rest].join('\n')}\n`;
}

/** What several entries share lies in a file that has a digest in its name. */
function withoutHash(text) {
  return text.replace(/-[A-Za-z0-9_-]{8}(?=\.(?:js|d\.ts)\b)/g, '');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '/').href) {
  run('npx', ['nx', 'run-many', '-t', 'build', '--output-style=static'], { NX_DAEMON: 'false', NX_TUI: 'false' });
  const packages = join(root, 'packages');
  for (const name of readdirSync(packages).filter((entry) => existsSync(join(packages, entry, 'dist', 'index.d.ts')))) {
    const path = join(root, reportPath(name));
    const report = apiReport(join(packages, name));
    const before = existsSync(path) ? readFileSync(path, 'utf8') : '';
    if (report === before) continue;
    writeFileSync(path, report);
    process.stdout.write(`${reportPath(name)}: ${difference(before, report).length} lines differ\n`);
  }
}
