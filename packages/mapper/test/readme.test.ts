import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, it } from 'vitest';
import { MapperErrors } from '../src/index.js';
import { testDevice } from '../src/testing/index.js';
import { bench, eventually } from './support.js';

const here = bench();
const root = fileURLToPath(new URL('../../..', import.meta.url));
const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const program = /^```ts\n(.*?)^```$/ms.exec(readme)?.[1] ?? '';

it('[mapper-9.1] the program of the README is a mapper of some 30 lines, and ends on SIGTERM', { timeout: 60_000 }, async () => {
  const lines = program.split('\n').filter((line) => line.trim() !== '' && !/^\s*(\/\/|\/\*\*)/.test(line));
  expect(lines.length).toBeLessThanOrEqual(30);
  const outfile = join(here.folder, 'files.mjs');
  await build({
    stdin: { contents: program, loader: 'ts', resolveDir: join(root, 'packages', 'mapper') },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    tsconfig: join(root, 'tsconfig.base.json'),
    external: ['bufferutil', 'utf-8-validate'],
    banner: { js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);" },
    logLevel: 'silent',
  });
  const sensors = join(here.folder, 'sensors');
  mkdirSync(sensors);
  writeFileSync(join(sensors, 'temp1_input'), '42\n');
  writeFileSync(join(sensors, 'pwm1'), '0\n');

  await here.edgeCore.start();
  const { device, model } = testDevice({ protocol: 'files', config: { folder: sensors }, properties: { temperature: { accessMode: 'ReadOnly', visitors: { file: 'temp1_input' } }, fan: { desired: '128', visitors: { file: 'pwm1' } } } });
  await here.edgeCore.add(device, model);
  let output = '';
  const child: ChildProcess = spawn(process.execPath, [outfile, '--edgecore-sock', here.edgeCore.socket, '--http-port', '0'], { stdio: ['ignore', 'pipe', 'pipe'] });
  try {
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += String(chunk)));
    await eventually(() => expect(here.edgeCore.reported('dev1', 'temperature')?.reported, output).toBe('42'));
    await eventually(() => expect(here.edgeCore.reported('dev1', 'fan')).toEqual({ reported: '128', observedDesired: '128' }));
    expect(readFileSync(join(sensors, 'pwm1'), 'utf8')).toBe('128\n');
    writeFileSync(join(sensors, 'temp1_input'), '43\n');
    await eventually(() => expect(here.edgeCore.reported('dev1', 'temperature')?.reported).toBe('43'));
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
    expect(output).toContain('done with default/dev1');
  } finally {
    child.kill('SIGKILL');
  }
});

it('[mapper-9.2] the README names every error code and only tests that exist', () => {
  const folders = ['../src/device', '.'].map((folder) => fileURLToPath(new URL(folder, import.meta.url)));
  const tests = folders.flatMap((folder) => readdirSync(folder).filter((file) => file.endsWith('.test.ts')).map((file) => readFileSync(join(folder, file), 'utf8'))).join('\n');
  const named = [...readme.matchAll(/`(mapper-\d+\.\d+)`/g)].map(([, id = '']) => id);
  expect(named.length).toBeGreaterThan(30);
  expect(named.filter((id) => !tests.includes(`[${id}]`))).toEqual([]);
  for (const code of Object.values(MapperErrors)) expect(readme).toContain(`.${code.split('.')[1]}\``);
});
