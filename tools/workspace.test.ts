import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
let copy = '';

/** Runs a command in the copy of the workspace. */
function run(command: string, args: readonly string[], folder = copy): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, NX_DAEMON: 'false', NX_TUI: 'false', NX_WORKSPACE_ROOT_PATH: copy, VITEST: undefined, NODE_OPTIONS: undefined, NO_COLOR: '1', FORCE_COLOR: undefined },
  });
  return { status, output: `${stdout}\n${stderr}` };
}

// A copy, so that planted faults and new packages never touch the real tree.
beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'edge-workspace-'));
  const listed = spawnSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8' });
  for (const file of listed.stdout.split('\n').filter((name) => name !== '' && !name.includes('/fixtures/'))) {
    cpSync(join(root, file), join(copy, file), { recursive: true });
  }
  mkdirSync(join(copy, 'node_modules', '@edge'), { recursive: true });
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (name !== '@edge') symlinkSync(join(root, 'node_modules', name), join(copy, 'node_modules', name));
  }
  for (const name of readdirSync(join(copy, 'packages'))) symlinkSync(join(copy, 'packages', name), join(copy, 'node_modules', '@edge', name));
  run('git', ['init', '-q']);
});

afterAll(() => rmSync(copy, { recursive: true, force: true }));

describe('workspace', () => {
  const boundaries = '@nx/enforce-module-boundaries';
  const forbidden: [title: string, file: string, text: string][] = [
    ['a module that imports another module', 'packages/metamanager/src/planted.ts', "import { edgeHub } from '@edge/edgehub';\n\nexport const planted = edgeHub;\n"],
    ['a module that imports the platform', 'packages/edgehub/src/planted.ts', "import { openStore } from '@edge/store';\n\nexport const planted = openStore;\n"],
    ['a contract package that imports upwards', 'packages/core/src/planted.ts', "import { loadConfig } from '@edge/config';\n\nexport const planted = loadConfig;\n"],
    ['a relative import into another package', 'packages/edged/src/planted.ts', "import { Core } from '../../core/src/core.js';\n\nexport const planted = Core;\n"],
  ];
  const misplaced = 'packages/devicetwin/src/planted.ts';
  const complaints = new Map<string, { readonly ruleId: string; readonly severity: number; readonly message: string }[]>();
  let lintStatus: number | null = 0;

  // All in one run of lint: most of its time goes into reading the workspace.
  beforeAll(() => {
    const texts = [...forbidden.map(([, file, text]) => [file, text] as const), [misplaced, "import { Container } from 'inversify';\nimport { runModule } from '@edge/testing';\n\nexport const planted = [Container, runModule];\n"] as const];
    for (const [file, text] of texts) writeFileSync(join(copy, file), text);
    run('npx', ['nx', 'graph', `--file=${join(copy, 'graph.json')}`]);
    const { status, output } = run('npx', ['eslint', '--format', 'json', ...texts.map(([file]) => file)]);
    for (const [file] of texts) rmSync(join(copy, file));
    lintStatus = status;
    const line = output.split('\n').find((text) => text.startsWith('[{')) ?? '[]';
    for (const { filePath, messages } of JSON.parse(line) as { filePath: string; messages: { ruleId: string; severity: number; message: string }[] }[]) complaints.set(relative(realpathSync(copy), filePath), messages);
  });

  it.each(forbidden)('[workspace-1.1] lint refuses %s', (_title, file) => {
    expect(complaints.get(file)?.map(({ ruleId, severity }) => [ruleId, severity])).toEqual([[boundaries, 2]]);
    expect(lintStatus).toBe(1);
  });

  it('[workspace-1.2] lint refuses inversify and the test kit outside of their places', () => {
    const messages = complaints.get(misplaced)?.map(({ message }) => message).join('\n') ?? '';
    expect(messages).toContain('Wiring lives in *.module.ts');
    expect(messages).toContain('The test kit is for tests alone');
  });

  it('[workspace-2.1] a generated module passes lint, types, tests and build from the first minute', () => {
    const made = run('node', ['tools/new-module.mjs', 'tide-gauge']);
    expect(made.output).toContain('Made packages/tide-gauge');
    expect(readFileSync(join(copy, 'tsconfig.base.json'), 'utf8')).toContain('@edge/tide-gauge');
    const folder = join(copy, 'packages', 'tide-gauge');
    expect(readFileSync(join(folder, 'LICENSE'), 'utf8')).toBe(readFileSync(join(root, 'LICENSE'), 'utf8'));
    run('npx', ['nx', 'graph', `--file=${join(copy, 'graph.json')}`]);
    expect(run('npx', ['eslint', 'packages/tide-gauge']).output).not.toMatch(/error/i);
    expect(run('npx', ['tsc', '-p', 'packages/tide-gauge/tsconfig.json', '--noEmit'])).toMatchObject({ status: 0 });
    const tests = run('npx', ['vitest', 'run'], folder);
    expect(tests.output).toMatch(/Tests\s+6 passed/);
    expect(run('node', ['../../tools/alone.mjs'], folder)).toMatchObject({ status: 0, output: expect.stringContaining('tide-gauge answers: hello') as string });
    for (const name of ['protocol', 'core']) {
      // `npm test` has built them already.
      const built = join(root, 'packages', name, 'dist');
      if (existsSync(join(built, 'index.d.ts'))) cpSync(built, join(copy, 'packages', name, 'dist'), { recursive: true });
      else expect(run('npx', ['tsup'], join(copy, 'packages', name))).toMatchObject({ status: 0 });
    }
    expect(run('npx', ['tsup'], folder)).toMatchObject({ status: 0 });
    expect(readFileSync(join(folder, 'dist', 'index.d.ts'), 'utf8')).toContain('tideGauge');
  });

  it('[workspace-2.2] refuses a name that is none, saying what would be right', () => {
    const refused = run('node', ['tools/new-module.mjs', 'Tide Gauge']);
    expect(refused.status).toBe(1);
    expect(refused.output).toContain('must be lower-case words joined by "-"');
  });
});
