import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { apiReport, difference } from './api-report.mjs';
import { sizeProblem } from './sizes.mjs';

function reportOf(text: string, shared = 'shared-Ab3dE_x9'): string {
  const folder = mkdtempSync(join(tmpdir(), 'edge-api-'));
  try {
    mkdirSync(join(folder, 'dist'));
    writeFileSync(join(folder, 'dist', 'index.d.ts'), text);
    writeFileSync(join(folder, 'dist', `${shared}.d.ts`), 'declare const inner: 1;\n');
    return apiReport(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

it('[workspace-5.1] the report of what a package exports depends on neither comments nor order nor digests in names', () => {
  const one = reportOf("import { B, A } from '@edge/core';\nimport { inner } from './shared-Ab3dE_x9.js';\n/** Says so. */\ndeclare function two(a: A): B;\ndeclare const one = 1;\n");
  const other = reportOf("import { inner } from './shared-00000000.js';\nimport { A, B } from '@edge/core';\ndeclare const one = 1;\ndeclare function two(a: A):   B; // anything\n", 'shared-00000000');
  expect(one).toBe(other);
  expect(difference(one, other)).toEqual([]);
  const changed = reportOf("import { A, B } from '@edge/core';\nimport { inner } from './shared-Ab3dE_x9.js';\ndeclare function two(a: A, more: string): B;\ndeclare const one = 1;\n");
  expect(difference(one, changed)).toEqual(['- declare function two(a: A): B;', '+ declare function two(a: A, more: string): B;']);
});

it('[workspace-5.2] a package that has grown is named with its size and what it may have', () => {
  expect(sizeProblem('core', 100 * 1024)).toBeUndefined();
  expect(sizeProblem('core', 400 * 1024)).toBe('@edge/core has 400 KiB packed, it may have 300: look at what came into it, or raise its limit in tools/sizes.mjs');
});
