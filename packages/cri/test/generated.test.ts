import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '..');

it('[cri-6.1] the generated code is what the definitions give', async () => {
  const out = await mkdtemp(join(tmpdir(), 'cri-generated-'));
  try {
    const tools = join(root, '..', '..', 'node_modules', '.bin');
    execFileSync(join(tools, 'buf'), ['generate', '--output', out], { cwd: root, env: { ...process.env, PATH: `${tools}${delimiter}${process.env['PATH'] ?? ''}` } });
    for (const file of ['src/generated/api.ts', 'src/generated/events.ts']) {
      expect(await readFile(join(out, file), 'utf8')).toBe(await readFile(join(root, file), 'utf8'));
    }
  } finally {
    await rm(out, { recursive: true });
  }
});
