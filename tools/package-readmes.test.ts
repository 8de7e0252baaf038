import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { moduleFiles } from './new-module-files.mjs';

const packages = fileURLToPath(new URL('../packages', import.meta.url));

interface Manifest {
  readonly nx: { readonly tags: readonly string[] };
}

/** Headings of the second level, code blocks left out. */
function headings(text: string): string[] {
  return text.replace(/^```[^]*?^```/gm, '').split('\n').filter((line) => line.startsWith('## ')).map((line) => line.slice(3));
}

/** A module says what messages it takes and sends, a library what it exports. */
function expected({ nx }: Manifest): string[] {
  return ['What it does', 'Config', nx.tags.includes('layer:module') ? 'Messages' : 'API', 'Run it alone', 'Versions', 'Status'];
}

it.each(readdirSync(packages).filter((name) => existsSync(join(packages, name, 'package.json'))))('[workspace-4.1] the README of %s has the six headings, in their order', (name) => {
  const manifest = JSON.parse(readFileSync(join(packages, name, 'package.json'), 'utf8')) as Manifest;
  const text = readFileSync(join(packages, name, 'README.md'), 'utf8');
  expect(headings(text)).toEqual(expected(manifest));
  expect(text.startsWith(`# @edge/${name}\n`)).toBe(true);
  expect(text).toContain(`npx nx run ${name}:alone`);
});

it('[workspace-4.2] a new module begins with them', () => {
  const files = moduleFiles('tide-gauge', '0.1.0');
  expect(headings(files['README.md'] ?? '')).toEqual(expected(JSON.parse(files['package.json'] ?? '') as Manifest));
});
