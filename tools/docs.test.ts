import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { blocksIn, blocksOf, codeWords, type Block } from './docs/blocks.js';
import { commandsIn, complaintAbout, type Known } from './docs/commands.js';
import { checkSnippets } from './docs/snippets.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const pages = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '*.md'], { cwd: root, encoding: 'utf8' })
  .split('\0')
  // What changelogs and plans of releases name may be gone.
  .filter((file) => file !== '' && !/(^|\/)CHANGELOG\.md$|^\.nx\//.test(file) && existsSync(join(root, file)));
const blocks = blocksOf(root, pages);
const of = (...languages: string[]): Block[] => blocks.filter(({ language }) => languages.includes(language));
const json = (path: string): Record<string, object | undefined> => JSON.parse(readFileSync(join(root, path), 'utf8')) as Record<string, object>;
const folders = (path: string): string[] => readdirSync(join(root, path)).filter((name) => existsSync(join(root, path, name, 'package.json')));

it('[docs-1.1] every relative link of every page, and every anchor, leads somewhere, and what does not is told', () => {
  // In the same run, as starting it takes most of its time: two pages with faults.
  const folder = mkdtempSync(join(tmpdir(), 'edge-docs-'));
  const [one, two] = [join(folder, 'one.md'), join(folder, 'two.md')];
  writeFileSync(one, '# One\n\n[gone](gone.md), [there](two.md#two), [not there](two.md#three), [here](#one)\n');
  writeFileSync(two, '# Two\n');
  const program = join(root, 'node_modules/remark-cli/cli.js');
  const { stderr, error } = spawnSync(process.execPath, [program, '--rc-path', join(root, '.remarkrc.json'), '--frail', '--quiet', '--no-color', ...pages, one, two], { cwd: root, encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  if (error) throw error;
  const told = stderr.split('\n').filter((line) => /^\d+:\d+/.test(line));
  expect(told, stderr).toEqual([expect.stringContaining('gone.md'), expect.stringContaining('three')]);
});

describe('blocks of code', () => {
  it('[docs-2.1] say which language they are in', () => {
    expect(blocks.filter(({ language }) => language === '').map(({ file, line }) => `${file}:${line}: name the language, or "text"`)).toEqual([]);
  });

  it('[docs-2.2] in TypeScript fit the packages as they are', () => {
    expect(of('ts').length).toBeGreaterThan(10);
    // Faults among them are found, in a fragment those that its surroundings cannot explain.
    const text = "import { gone } from '@edge/core';\nexport const one: string = 1;\nrun(gone);\n";
    const planted = [...blocksIn(`\`\`\`ts\n${text}\`\`\`\n`, 'docs/planted.md'), ...blocksIn(`\`\`\`ts fragment\n${text}\`\`\`\n`, 'docs/adr/fragment.md')];
    expect(checkSnippets(root, [...of('ts'), ...planted])).toEqual([
      expect.stringMatching(/^docs\/planted\.md:2: .*no exported member.*gone/),
      expect.stringMatching(/^docs\/planted\.md:3: .*not assignable/),
      expect.stringMatching(/^docs\/planted\.md:4: Cannot find name 'run'/),
      expect.stringMatching(/^docs\/adr\/fragment\.md:2: .*no exported member.*gone/),
      expect.stringMatching(/^docs\/adr\/fragment\.md:3: .*not assignable/),
    ]);
  });

  it('[docs-2.3] in YAML and JSON can be read', () => {
    const wrong = [
      ...of('yaml').flatMap((block) => parseAllDocuments(block.text).flatMap(({ errors }) => errors.map((error) => `${block.file}:${block.line}: ${error.message}`))),
      ...of('json').flatMap((block) => {
        try {
          JSON.parse(block.text);
          return [];
        } catch (error) {
          return [`${block.file}:${block.line}: ${String(error)}`];
        }
      }),
    ];
    expect(wrong).toEqual([]);
  });
});

it('[docs-4.1] messages that the page about operation explains are those of the agent', () => {
  const page = readFileSync(join(root, 'docs/operate.md'), 'utf8');
  const messages = [...page.slice(page.indexOf('## Trouble')).matchAll(/^\| `([^`]+)` \|/gm)].map(([, message = '']) => message);
  expect(messages.length).toBeGreaterThan(30);
  const listed = execFileSync('git', ['ls-files', '-z', 'packages/*/src/*.ts'], { cwd: root, encoding: 'utf8' }).split('\0').filter((file) => file !== '' && !file.endsWith('.test.ts') && existsSync(join(root, file)));
  const sources = listed.map((file) => readFileSync(join(root, file), 'utf8')).join('\n');
  const parts = messages.flatMap((message) => message.split('…').filter((part) => part.trim().length > 6).map((part) => [message, part] as const));
  expect(parts.filter(([, part]) => !sources.includes(part))).toEqual([]);
});

/**
 * What the program prints with each of some command lines. It is made into one file, which takes less time than reading its hundreds of
 * files one by one, and runs in a process of its own.
 */
async function outputs(commandLines: readonly (readonly string[])[]): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'edge-docs-'));
  try {
    const outfile = join(folder, 'program.mjs');
    const js = "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);";
    await build({ entryPoints: [join(root, 'packages/cli/src/program.ts')], outfile, bundle: true, platform: 'node', target: 'node20', format: 'esm', tsconfig: join(root, 'tsconfig.base.json'), external: ['libsql', 'bufferutil', 'utf-8-validate'], banner: { js } });
    const asking = `import { main } from ${JSON.stringify(outfile)};
      const texts = [];
      for (const args of ${JSON.stringify(commandLines)}) {
        let text = '';
        await main(args, { env: {}, out: (more) => (text += more), err: (more) => (text += more) });
        texts.push(text);
      }
      process.stdout.write(JSON.stringify(texts));`;
    return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '--eval', asking], { encoding: 'utf8' })) as string[];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('commands', () => {
  const flags = new Map<string, ReadonlySet<string>>();
  let known: Known;

  beforeAll(async () => {
    const flagsIn = (help: string): Set<string> => new Set([...help.matchAll(/(?<![\w-])--?([a-z][a-z-]*)/g)].map(([, flag = '']) => flag));
    const named = [...readFileSync(join(root, 'packages/cli/src/program.ts'), 'utf8').matchAll(/^  (\w+): async \(\) => \(await import/gm)].map(([, command = '']) => command);
    const commands = ['', ...named];
    const helps = await outputs(commands.map((command) => [...(command === '' ? [] : [command]), '--help']));
    commands.forEach((command, at) => flags.set(command, flagsIn(helps[at] ?? '')));

    // What a page has its readers make.
    const made = new Set(of('sh').flatMap(({ text }) => [...text.matchAll(/^npm run new-module (\S+)$/gm)].map(([, name = '']) => `packages/${name}`)));
    const manifests = ['.', ...folders('packages').map((name) => `packages/${name}`)].map((path) => json(join(path, 'package.json')));
    const scripts = manifests.flatMap(({ scripts = {} }) => Object.keys(scripts));
    const targets = manifests.flatMap(({ nx = {} }) => Object.keys((nx as { targets?: object }).targets ?? {}));
    known = {
      scripts: new Set(scripts),
      packages: new Set([...folders('packages'), ...[...made].map((path) => path.replace('packages/', ''))]),
      targets: new Set([...scripts, ...targets, ...Object.keys(json('nx.json').targetDefaults ?? {})]),
      programs: new Set(readdirSync(join(root, 'node_modules/.bin'))),
      exists: (path) => existsSync(join(root, path)) || made.has(path),
      edgecoreFlags: (command) => flags.get(command),
    };
  });

  it('[docs-3.1] of shell blocks are there: scripts, targets, folders, commands of edgecore and their flags', () => {
    expect([...flags.keys()]).toEqual(expect.arrayContaining(['', 'join', 'modules', 'upgrade']));
    const all = of('sh').flatMap((block) => commandsIn(block.text).map((command) => ({ block, command })));
    expect(all.length).toBeGreaterThan(20);
    const wrong = all.map(({ block, command }) => [`${block.file}:${block.line}`, command, complaintAbout(command, known)] as const).filter(([, , complaint]) => complaint !== undefined);
    expect(wrong).toEqual([]);
  });

  it('[docs-3.2] in the text are there, too', () => {
    const own = /^(edgecore (?=[a-z-])|npm (run|start|test)|npx (nx|vitest|edgecore))/;
    const all = pages.flatMap((file) => codeWords(readFileSync(join(root, file), 'utf8')).flatMap((words) => commandsIn(words).map((command) => ({ file, command }))));
    const ours = all.filter(({ command }) => own.test(command) && !command.includes('…'));
    expect(ours.length).toBeGreaterThan(50);
    const wrong = ours.map(({ file, command }) => [file, command, complaintAbout(command, known)] as const).filter(([, , complaint]) => complaint !== undefined);
    expect(wrong).toEqual([]);
  });

  it.each([
    ['npm run gone', 'no npm script "gone"'],
    ['npx nx affected -t lint gone --parallel=1', '"gone" is no target of nx'],
    ['npx nx test gone', 'there is no package gone'],
    ['npx nx run metamanager:gone', '"gone" is no target of nx'],
    ['npx gone', 'no program of the packages'],
    ['edgecore gone', 'no command "gone"'],
    ['edgecore join --tokn x', 'edgecore join has no flag "tokn"'],
    ['node packages/cli/dist-bundle/edgecore.mjs --confg x', 'edgecore  has no flag "confg"'],
    ['cd packages/gone', 'there is no packages/gone'],
    ['kubectl apply -f examples/gone/', 'there is no examples/gone/'],
    ['gone --now', '"gone" is not known'],
  ])('[docs-3.3] one that is not there is told: %s', (command, complaint) => expect(complaintAbout(command, known)).toContain(complaint));

  it('[docs-3.4] are found behind variables, comments and one another', () => {
    expect(commandsIn('A=1 sudo -E npm test # all\nexport B=2; cd "a;b" && npm \\\n  run x | tail -1\nC=3\n')).toEqual(['npm test', 'export B=2', 'cd "a;b"', 'npm run x', 'tail -1']);
  });
});
