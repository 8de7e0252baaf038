import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FULL_TESTS } from '@edge/testing';
import { readJournal } from '@edge/upgrade';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../support/agent.js';
import { podProcesses } from '../support/leftovers.js';
import { NODE, sleeper } from '../support/scene.js';
import { installNode, type InstalledNode } from './installed-node.js';
import { packVersions } from './packed-versions.js';

/** Ends upgrader and agent as soon as a phase is noted, or a file is put in its place; which one stands in a file. */
const KILL_AT = fileURLToPath(new URL('../../../upgrade/test/support/kill-at.mjs', import.meta.url));
/** Forward, then on the way back. The library's own test has each of them in every run, with an agent of a few lines. */
const FORWARD = FULL_TESTS ? ['begun', 'stopped', '/edgecore.db', 'copied', '/current', 'switched', 'proven', '/last.json'] : ['switched'];
const BACK = FULL_TESTS ? ['returning', 'stopped-again', '/current', 'back', 'returned'] : [];
const LIMIT_MS = 90_000;

let folder = '';
let archives = '';
let node: InstalledNode;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edge-upgrade-'));
  archives = join(folder, 'archives');
  await packVersions(archives, [
    { version: '1.0.0' },
    { version: '1.1.0' },
    { version: '1.2.0', prelude: "throw new Error('made wrong');" },
    { version: '1.3.0', prelude: "if (process.argv.includes('--config')) process.exit(1);" },
    { version: '1.4.0' },
  ]);
  node = await installNode(archives, '1.0.0', { NODE_OPTIONS: `--import=${KILL_AT}` });
  await node.runs('1.0.0');
  await node.cloud.api.resource('v1', 'pods').create(sleeper('lasting') as never);
  await eventually(() => node.pod('lasting')?.status?.phase === 'Running', 90_000, () => node.log.slice(-2000));
});
afterAll(async () => {
  await (node as InstalledNode | undefined)?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const pods = (): string => JSON.stringify(podProcesses(node.folder).filter(({ command }) => !command.startsWith('sleep')).map(({ pid }) => pid).sort());
const report = (): unknown => JSON.parse(readFileSync(join(node.folder, 'node', 'state', 'upgrade_report.json'), 'utf8'));

it('[upgrade-8.1] edgecore upgrade: another version is fetched, checked, switched to and Ready; edgecore rollback goes back; pods run on', async () => {
  const before = pods();
  const up = await node.edgecore('upgrade', '--from', archives, '--to-version', 'v1.1.0');
  expect(up).toEqual({ code: 0, output: expect.stringContaining('Done: v1.1.0 runs.') as string });
  await node.runs('1.1.0');
  expect(report()).toEqual({ event: 'Upgrade', success: true, fromVersion: 'v1.0.0', toVersion: 'v1.1.0' });
  expect((await node.edgecore('versions')).output).toBe('v1.1.0  in use\nv1.0.0  from before\n');
  expect((await node.edgecore('--version')).output).toContain('@edge/cli 1.1.0');
  expect(await node.edgecore('rollback')).toMatchObject({ code: 0 });
  await node.runs('1.0.0');
  expect(pods()).toBe(before);
  expect(node.pod('lasting')?.status?.containerStatuses?.[0]?.restartCount).toBe(0);
});

it('[upgrade-8.2] a version that exits at once is taken back by itself, and the command says why', async () => {
  const before = pods();
  const { code, output } = await node.edgecore('upgrade', '--from', join(archives, 'edge-cli-1.3.0.tgz'), '--to-version', '1.3.0', '--timeout', '60');
  expect({ code, output }).toEqual({ code: 1, output: expect.stringContaining('v1.0.0 runs again, for v1.3.0 did not work: it was started 4 times and did not go on') as string });
  await node.runs('1.0.0');
  expect(await node.versions.list()).not.toContain('1.3.0');
  expect(pods()).toBe(before);
});

it('[upgrade-8.3] what cannot be fetched, is not what was asked for, or cannot be loaded, stops nothing and says what is wrong', async () => {
  const [pid, there] = [node.agentPid(), readdirSync(node.layout.versions)];
  const wrong = `sha256:${'0'.repeat(64)}`;
  const cases: readonly [readonly string[], string][] = [
    [['--from', archives, '--to-version', '1.2.0'], 'version 1.2.0 cannot be loaded: Error: made wrong'],
    [['--from', archives, '--to-version', '9.9.9'], 'it is not there; look at the version'],
    [['--from', archives, '--to-version', '1.4.0', '--digest', wrong], `it has to have ${'0'.repeat(64)}; nothing of it is used`],
    [['--registry', 'http://127.0.0.1:9', '--to-version', '1.4.0'], 'the registry does not answer'],
    [['--from', '/does/not/exist', '--to-version', '1.4.0'], '/does/not/exist is not there; give a folder of *.tgz files'],
  ];
  for (const [args, text] of cases) {
    const { code, output } = await node.edgecore('upgrade', ...args);
    expect({ code, output }).toEqual({ code: 1, output: expect.stringContaining(text) as string });
  }
  expect(node.agentPid()).toBe(pid);
  expect(readdirSync(node.layout.versions)).toEqual(there);
});

it('[upgrade-8.4] the power fails while npm fetches: nothing of it counts, and the next upgrade is whole', async () => {
  const fetching = node.spawn('upgrade', '--from', archives, '--to-version', '1.4.0');
  await eventually(() => readdirSync(node.layout.versions).some((name) => name.endsWith('.partial') && existsSync(join(node.layout.versions, name, 'package.json'))), 60_000, () => 'npm was not started');
  killTree(fetching.pid ?? 0);
  process.kill(node.agentPid(), 'SIGKILL');
  await node.runs('1.0.0');
  expect(await node.edgecore('upgrade', '--from', archives, '--to-version', '1.4.0')).toMatchObject({ code: 0 });
  await node.runs('1.4.0');
  expect(readdirSync(node.layout.versions).sort()).toEqual(['1.0.0', '1.4.0']);
});

interface JobStatus {
  readonly phase?: string;
  readonly nodeStatus?: readonly { readonly phase?: string; readonly historicVersion?: string; readonly currentVersion?: string; readonly actionFlow?: readonly { readonly action: string; readonly status: string; readonly reason?: string }[] }[];
}

/** Makes a node job in the cloud and waits for its end. */
async function runJob(plural: string, kind: string, name: string, spec: object): Promise<JobStatus> {
  const jobs = node.cloud.api.resource<{ status?: JobStatus }>('operations.kubeedge.io/v1alpha2', plural);
  await jobs.create({ apiVersion: 'operations.kubeedge.io/v1alpha2', kind, metadata: { name }, spec: { nodeNames: [NODE], failureTolerate: '0', ...spec } } as never);
  const status = (): JobStatus => jobs.find(name)?.status ?? {};
  await eventually(() => status().phase === 'Completed' || status().phase === 'Failure', 120_000, () => `${name} is ${JSON.stringify(status())}; ${node.log.slice(-3000)}`);
  return status();
}

it('[upgrade-8.5] a NodeUpgradeJob changes the version, a ConfigUpdateJob a setting, and a wrong setting nothing: each comes to its end in the cloud', async () => {
  const before = pods();
  const upgraded = await runJob('nodeupgradejobs', 'NodeUpgradeJob', 'up', { version: 'v1.0.0', image: 'kubeedge/installation-package', timeoutSeconds: 300 });
  expect(upgraded).toMatchObject({
    phase: 'Completed',
    nodeStatus: [{ phase: 'Successful', historicVersion: 'v1.4.0', currentVersion: 'v1.0.0', actionFlow: ['Check', 'WaitingConfirmation', 'BackUp', 'Upgrade'].map((action) => ({ action, status: 'True' })) }],
  });
  await node.runs('1.0.0');
  expect(readdirSync(join(node.folder, 'node', 'state', 'backup', 'v1.4.0')).sort()).toEqual(['edgecore.db', 'edgecore.yaml']);

  const configured = await runJob('configupdatejobs', 'ConfigUpdateJob', 'set', { updateFields: { 'modules.edgeHub.heartbeat': '20' } });
  expect(configured).toMatchObject({ phase: 'Completed', nodeStatus: [{ phase: 'Successful', actionFlow: ['Check', 'BackUp', 'Update'].map((action) => ({ action, status: 'True' })) }] });
  expect(readFileSync(join(node.folder, 'node', 'edgecore.yaml'), 'utf8')).toMatch(/heartbeat: 20$/m);
  await node.runs('1.0.0');

  const pid = node.agentPid();
  const refused = await runJob('configupdatejobs', 'ConfigUpdateJob', 'wrong', { updateFields: { 'modules.edgeHub.heartbeat': 'often' } });
  expect(refused.nodeStatus?.[0]?.actionFlow).toMatchObject([
    { action: 'Check', status: 'True' }, { action: 'BackUp', status: 'True' },
    { action: 'Update', status: 'False', reason: expect.stringMatching(/heartbeat.*often/) as string }, { action: 'RollBack', status: 'True' },
  ]);
  expect(node.agentPid()).toBe(pid);
  expect(pods()).toBe(before);
});

it.each([...FORWARD.map((at) => [at, '1.4.0'] as const), ...BACK.map((at) => [at, '1.3.0'] as const)])('[upgrade-8.6] the power fails at %s of an upgrade to %s: the node is Ready with a whole version', async (at, to) => {
  const before = pods();
  const current = (await node.versions.current()) ?? '';
  // From the one to the other and back, so that each case begins where the one before ended.
  const wanted = to === '1.3.0' ? to : current === '1.0.0' ? '1.4.0' : '1.0.0';
  writeFileSync(join(node.layout.root, 'kill-at'), `${at} all`);
  const command = node.spawn('upgrade', '--from', archives, '--to-version', wanted, '--timeout', '60');
  await eventually(() => !existsSync(join(node.layout.root, 'kill-at')), 90_000, () => `the power did not fail at ${at}`);
  const failedAt = Date.now();
  command.kill('SIGKILL');
  await eventually(async () => (await readJournal(node.layout)) === undefined, LIMIT_MS, () => readFileSync(node.layout.log, 'utf8').slice(-2000));
  await node.runs(to === '1.3.0' ? current : wanted);
  if (FULL_TESTS) console.log(`${at} to ${wanted}: back after ${((Date.now() - failedAt) / 1000).toFixed(1)} s`);
  expect(pods()).toBe(before);
  expect(readdirSync(node.layout.versions).filter((name) => !/^1\.[04]\.0$|^1\.1\.0$/.test(name))).toEqual([]);
});

/** A process and all below it, by their ids. */
function killTree(pid: number): void {
  for (const child of childrenOf(pid)) killTree(child);
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

function childrenOf(pid: number): number[] {
  return execFileSync('sh', ['-c', `cat /proc/${pid}/task/*/children 2>/dev/null || true`], { encoding: 'utf8' }).split(/\s+/).filter(Boolean).map(Number);
}
