import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../packages/cli/test/support/agent.js';
import { killPodProcesses, podProcesses } from '../packages/cli/test/support/leftovers.js';

/** Commands of the README and of the first look, and what they print there; undefined when nothing is shown. */
interface Block {
  readonly commands: string;
  readonly shown: string | undefined;
}

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');
/** The README with the page that goes on with its first look in that place, as one reads them. */
const pages = readme.replace(/^.*\]\(docs\/first-look\.md\)\.$/m, () => readFileSync(join(root, 'docs/first-look.md'), 'utf8'));
const INSTALL_MS = 400_000;
const INSTALLS = process.env['EDGE_TESTS'] === 'full';

let folder = '';
let clone = '';
let start: ChildProcess | undefined;
let startOutput = '';
/** Programs of the README that go on until they are told to stop. */
const running: ChildProcess[] = [];

function blocks(): Block[] {
  const found = [...pages.matchAll(/^```sh\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?/gms)];
  return found.map(([, commands = '', shown]) => ({ commands: commands.trim(), shown }));
}

/** What differs from run to run, from machine to machine and from release to release, made equal: places, names, times, hashes, versions. */
function stable(text: string): string[] {
  return text
    .replaceAll(clone, '/srv/edge')
    .replace(/\bNode \S+ is Ready/g, 'Node edge-1 is Ready')
    .replace(/; --runtime cri would use \S+/g, '')
    .replaceAll(' from default namespace', '')
    .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:<port>')
    .replace(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '<time>')
    .replace(/\b\d+(\.\d+)? ?s\b/g, '<time>')
    .replace(/"1\d{12}"/g, '"<ms>"')
    .replace(/added \d+ packages in .*/g, 'added packages')
    .replace(/\bversion \d+\.\d+\.\d+\b/g, 'version <version>')
    .replace(/\bticker-[a-z0-9]+-[a-z0-9]+\b/g, 'ticker-<hash>')
    .split('\n')
    .map((line) => line.replace(/\s+/g, ' ').trim())
    // Three dots stand for lines that the README leaves out.
    .filter((line) => line !== '' && line !== '...');
}

/** The shown lines that the real output lacks; each real line counts once, in order. */
function missing(shown: string, real: string): string[] {
  const lines = stable(real);
  return stable(shown).filter((line) => {
    const at = lines.indexOf(line);
    if (at < 0) return true;
    lines.splice(0, at + 1);
    return false;
  });
}

/** With the port of the node's own API that this start has shown: the usual one may have been taken. */
function withPort(commands: string): string {
  const [, port = ''] = /node's API .*127\.0\.0\.1:(\d+)/.exec(startOutput) ?? [];
  return commands.replace(/(--server http:\/\/127\.0\.0\.1:)\d+/g, `$1${port}`);
}

/** As someone types it in the folder of the clone; `before` are the exports of earlier blocks. */
async function shell(commands: string, before: readonly string[]): Promise<string> {
  const script = ['set -e', ...before, withPort(commands)].join('\n');
  const env = { ...process.env, TOKEN: 'aGFzaA.aGVhZGVy.cGF5bG9hZA.c2lnbmF0dXJl', NODE_OPTIONS: '' };
  const { stdout, stderr } = await promisify(execFile)('bash', ['-c', script], { cwd: clone, env, timeout: 400_000 });
  return stdout + stderr;
}

// What a fresh clone has: the files that git knows, and nothing that was built; with EDGE_TESTS=full nothing that was installed either.
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'edge-readme-'));
  clone = join(folder, 'edge');
  const listed = spawnSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' });
  for (const file of listed.stdout.split('\0').filter((name) => name !== '' && existsSync(join(root, name)))) cpSync(join(root, file), join(clone, file));
  if (INSTALLS) return;
  // Installing takes most of a minute, and this test runs where just that has been done; links to the same files are as good.
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as { packages: object };
  const places = new Set(Object.keys(lock.packages).flatMap((path) => /^(?:[^/]+\/)*?node_modules(?=\/)/.exec(path) ?? []));
  for (const place of places) linkPackages(join(root, place), join(clone, place));
  // As npm leaves it: newer than the lock file.
  const mark = join('node_modules', '.package-lock.json');
  writeFileSync(join(clone, mark), readFileSync(join(root, mark)));
}, INSTALL_MS);

function linkPackages(from: string, to: string): void {
  if (!existsSync(from)) return;
  const installed = realpathSync(from);
  mkdirSync(to);
  // Names with a dot are what tools have kept there, which must not be written to from here.
  const names = readdirSync(installed).filter((name) => !name.startsWith('.') || name === '.bin');
  const copy = (flag: string): boolean => spawnSync('cp', [flag, ...names.map((name) => join(installed, name)), to]).status === 0;
  if (names.length > 0 && !copy('-al') && !copy('-a')) throw new Error(`the packages in ${installed} could not be copied`);
}

/** Starts a program that goes on, and resolves with what it has printed when the last shown line is among it. */
async function startBeside(commands: string, shown: string): Promise<string> {
  const child = spawn('bash', ['-c', commands], { cwd: clone, detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NODE_OPTIONS: '', VITEST: undefined, NODE_ENV: undefined } });
  running.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += String(chunk)));
  await eventually(() => missing(shown, output).length === 0 || child.exitCode !== null, 240_000, () => `${commands} printed:\n${output}`);
  return output;
}

afterAll(async () => {
  for (const child of running.filter(({ pid, exitCode, signalCode }) => pid !== undefined && exitCode === null && signalCode === null)) {
    const gone = once(child, 'exit');
    process.kill(-(child.pid as number), 'SIGINT');
    await gone;
  }
  if (start?.pid !== undefined && start.exitCode === null && start.signalCode === null) {
    const gone = once(start, 'exit');
    process.kill(-start.pid, 'SIGINT');
    await gone;
  }
  killPodProcesses(clone);
  rmSync(folder, { recursive: true, force: true });
});

it('[readme-1.1] npm start on a fresh clone prints what the README shows', { timeout: INSTALL_MS + 30_000 }, async () => {
  const [first] = blocks();
  expect(first?.commands).toBe('npm start');
  // A group of its own, as a terminal gives it, so that Ctrl-C can be played later.
  start = spawn('npm', ['start'], { cwd: clone, detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NODE_OPTIONS: '', VITEST: undefined, NODE_ENV: undefined } });
  for (const stream of [start.stdout, start.stderr]) stream?.on('data', (chunk) => (startOutput += String(chunk)));
  const last = first?.shown?.trim().split('\n').at(-1) ?? '';
  await eventually(() => startOutput.includes(last) || start?.exitCode !== null, INSTALL_MS, () => `npm start printed:\n${startOutput}`);
  const shown = first?.shown ?? '';
  expect(missing(INSTALLS ? shown : shown.replace(/^(Installing dependencies|added \d+ packages).*\n/gm, ''), startOutput), startOutput).toEqual([]);
});

it('[readme-1.2] every other command prints what the README shows', { timeout: 600_000 }, async () => {
  const exports: string[] = [];
  // `npm test` is what runs this; of it only the last line's form can be shown here.
  const rest = blocks().filter(({ commands }) => commands !== 'npm start' && commands !== 'npm test');
  expect(rest.length).toBeGreaterThan(2);
  const configuration = join(clone, 'edgecore.yaml');
  let joined = '';
  for (const { commands, shown = '' } of rest) {
    let output = commands.startsWith('npm run example:') ? await startBeside(commands, shown) : await shell(commands, exports);
    // A look at the cluster may come before the cluster has got there.
    for (let tries = 0; tries < 60 && /^kubectl (--server \S+ )?get/.test(commands) && missing(shown, output).length > 0; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      output = await shell(commands, exports);
    }
    expect(missing(shown, output), `${commands}\nprinted:\n${output}`).toEqual([]);
    if (commands.includes('edgecore.mjs join')) joined = readFileSync(configuration, 'utf8');
    exports.push(...commands.split('\n').filter((line) => line.startsWith('export ')));
  }
  expect(joined).toContain('server: 203.0.113.7:10000');
  // `reset` has taken it away again.
  expect(existsSync(configuration)).toBe(false);
  expect(podProcesses(clone)).toEqual([]);
});

it('[readme-1.4] npm test ends with the line that the README shows', { timeout: 300_000 }, async () => {
  expect(blocks().find(({ commands }) => commands === 'npm test')?.shown).toMatch(/^\d+ passed, 0 failed\n$/);
  const output = await shell('npm test -- --quick packages/protocol/src/resource.test.ts', []);
  expect(output).toMatch(/^\d+ passed, 0 failed$/m);
});

it('[readme-1.3] Ctrl-C ends npm start', { timeout: 60_000 }, async () => {
  if (start?.pid === undefined) throw new Error('npm start does not run');
  const gone = once(start, 'exit');
  process.kill(-start.pid, 'SIGINT');
  await gone;
  expect(startOutput).toContain('Stopped. Start again to go on with the same data.');
});

it('[bench-1.1] npm run bench prints its figures as JSON, on a fresh clone too', { timeout: 600_000 }, async () => {
  const output = await shell('npm run --silent bench -- --json --quick bus store link mqtt twins', []);
  const report = JSON.parse(output.slice(output.indexOf('{'))) as { node: string; cores: number; figures: { name: string; value: number; unit: string }[] };
  expect(report).toMatchObject({ node: process.version, cores: expect.any(Number) as number });
  expect([...new Set(report.figures.map(({ name }) => name.split(/[ ,]/)[0]))]).toEqual(['bus', 'edge', 'cloud', 'MQTT', 'store', 'twin', 'reports']);
  for (const { name, value, unit } of report.figures) {
    expect(value, name).toBeGreaterThan(0);
    expect(unit, name).not.toBe('');
  }
});

it('[bench-1.2] npm run bench says what there is when it is asked, and when a name is wrong', () => {
  const bench = (...args: string[]) => spawnSync(process.execPath, [join(root, 'tools', 'bench.mjs'), ...args], { encoding: 'utf8' });
  const asked = bench('--help');
  expect([asked.status, asked.stderr]).toEqual([0, '']);
  for (const file of readdirSync(join(root, 'tools', 'bench'))) if (file.endsWith('.bench.ts')) expect(asked.stdout).toContain(file.replace('.bench.ts', ''));
  const wrong = bench('buss', '--quick');
  expect([wrong.status, wrong.stdout]).toEqual([2, '']);
  expect(wrong.stderr).toMatch(/there is no benchmark buss; there are agent, .*bus, /);
});

it('[readme-2.1] the table of packages is that of the workspace', () => {
  const rows = [...readme.matchAll(/^\| \[`@edge\/([a-z-]+)`\]\(packages\/([a-z-]+)\) \| (.+) \|$/gm)];
  const folders = readdirSync(join(root, 'packages')).filter((name) => existsSync(join(root, 'packages', name, 'package.json')));
  expect(rows.map(([, name]) => name).sort()).toEqual(folders.sort());
  for (const [, name = '', path = '', text] of rows) {
    expect(path).toBe(name);
    expect(JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8'))).toMatchObject({ description: text });
  }
});

it('[readme-2.2] what the README links to is there', () => {
  const links = [...readme.matchAll(/\]\(([^)#:]+)\)/g)].map(([, path = '']) => path);
  expect(links.length).toBeGreaterThan(0);
  expect(links.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});
