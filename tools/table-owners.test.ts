import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const packages = fileURLToPath(new URL('../packages', import.meta.url));

interface Source {
  readonly package: string;
  readonly text: string;
}

/** The sources of all packages, tests left out. */
function sources(): Source[] {
  return readdirSync(packages).flatMap((name) =>
    readdirSync(join(packages, name), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.startsWith('src/') && file.endsWith('.ts') && !file.endsWith('.test.ts'))
      .map((file) => ({ package: name, text: readFileSync(join(packages, name, file), 'utf8') })),
  );
}

/** Table (upstream's by the name of its description, our own by its name in the file) → packages whose source names it. */
function users(files: readonly Source[], upstream: readonly string[]): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const { package: name, text } of files) {
    const named = [...text.matchAll(/'(edge_\w+)'/g), ...text.matchAll(/\b(\w+Table)\b/g)].map(([, table = '']) => table);
    for (const table of named) if (table.startsWith('edge_') || upstream.includes(table)) found.set(table, (found.get(table) ?? new Set()).add(name));
  }
  return found;
}

/** Upstream's tables and who owns them, as their descriptions say. */
const owners = new Map(
  [...readFileSync(join(packages, 'protocol/src/tables.ts'), 'utf8').matchAll(/owner: (\w+)[.;][\s\S]*?export const (\w+Table)\b/g)].map(([, owner = '', table = '']) => [table, owner]),
);

it('[workspace-3.1] no package touches a table of another: what belongs to somebody else is asked for by message', () => {
  expect([...owners.keys()]).toEqual(expect.arrayContaining(['metaTable', 'metaV2Table', 'deviceTable', 'subTopicsTable']));
  const files = sources().filter((file) => file.package !== 'protocol');
  const found = users(files, [...owners.keys()]);
  expect(found.get('metaTable')).toEqual(new Set(['metamanager']));
  expect(found.get('edge_service_account_token')).toEqual(new Set(['metamanager']));
  const wrong = [...found].filter(([table, by]) => by.size > 1 || (owners.has(table) && !by.has(owners.get(table) ?? '')));
  expect(wrong.map(([table, by]) => `${table}: ${[...by].join(', ')}`)).toEqual([]);
  // A fault would be seen.
  expect(users([...files, { package: 'metaserver', text: 'store.table(metaTable)' }], [...owners.keys()]).get('metaTable')?.size).toBe(2);
});
