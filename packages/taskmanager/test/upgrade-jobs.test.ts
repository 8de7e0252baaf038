import type { ActionStatus } from '@edge/protocol';
import { expect, it } from 'vitest';
import { JobRows } from '../src/records/job-rows.js';
import { flowOf, Node, until, type Agent } from './scene.js';

const SPEC = { version: 'v1.24.0', timeoutSeconds: 600, image: 'kubeedge/installation-package', imageDigestGatter: null, concurrency: 1, failureTolerate: '1' };
const FLOW = ['Check+', 'WaitingConfirmation+', 'BackUp+', 'Upgrade+'];

const upgrade = (agent: Agent, parts: object = {}, job = 'j1'): Promise<void> => agent.job('nodeupgradejob', { ...SPEC, ...parts }, { job });

/** What the process outside of the agent leaves. */
function ended(node: Node, success: boolean, errorMessage?: string): void {
  node.installation.left = { event: 'Upgrade', success, fromVersion: 'v1.23.1', toVersion: 'v1.24.0', ...(errorMessage ? { errorMessage } : {}) };
  if (success) node.installation.version = 'v1.24.0';
}

it('[taskmanager-5.1] an upgrade is prepared, backed up, handed over once, and told by the agent that starts afterwards', async () => {
  const node = new Node();
  {
    await using agent = await node.start();
    await upgrade(agent);
    await agent.action('BackUp');
    await until('it is handed over', () => node.installation.orders.length > 0);
  }
  // Two thirds of the job's time are the new version's; the rest is for the way back.
  expect(node.installation.orders).toEqual(['upgrade v1.24.0 400']);
  expect(node.installation.prepared).toEqual([{ version: 'v1.24.0' }]);
  expect(node.records).toEqual([{ version: 'v1alpha2', job: 'j1', node: 'edge-node', value: SPEC }]);
  expect(flowOf(node)).toEqual(FLOW.slice(0, 3));
  ended(node, true);
  {
    await using agent = await node.start();
    expect(await agent.action('Upgrade')).toMatchObject({ succ: true, reason: '', extend: 'v1.23.1,v1.24.0', finishTime: expect.stringMatching(/Z$/) as string });
    await until('the record is as it has to be', () => node.records.length === 0);
  }
  expect(flowOf(node)).toEqual(FLOW);
  expect((node.reports[2]?.content as ActionStatus).extend).toBe(',v1.23.1');
  expect(node.installation.left).toBeUndefined();
  // Nothing of it is left that a third start could go on with.
  await using _again = await node.start();
  expect(flowOf(node)).toEqual(FLOW);
  expect(node.installation.orders).toHaveLength(1);
});

it('[taskmanager-5.2] what was not Ready is reported with its reason and as rolled back; nothing is rolled back twice', async () => {
  const node = new Node();
  await using agent = await node.start();
  node.installation.onOrder = () => ended(node, false, 'v1.24.0 was not Ready within 400 s');
  await upgrade(agent);
  expect(await agent.action('Upgrade')).toMatchObject({ succ: false, reason: 'v1.24.0 was not Ready within 400 s', extend: 'v1.23.1,v1.24.0' });
  expect(await agent.action('RollBack')).toMatchObject({ succ: true, extend: 'v1.24.0,v1.23.1' });
  expect(node.installation.orders).toEqual(['upgrade v1.24.0 400']);
  expect(flowOf(node)).toEqual([...FLOW.slice(0, 3), 'Upgrade-', 'RollBack+']);
});

it('[taskmanager-5.3] a version that failed and still runs is rolled back, and told after that restart', async () => {
  const node = new Node();
  {
    await using agent = await node.start();
    node.installation.onOrder = (order) => {
      if (!order.startsWith('upgrade')) return;
      ended(node, false, 'nobody watched it');
      node.installation.version = 'v1.24.0';
    };
    await upgrade(agent);
    await agent.action('Upgrade');
    await until('it is handed over', () => node.installation.orders.length === 2);
  }
  expect(node.installation.orders).toEqual(['upgrade v1.24.0 400', 'rollBack v1.23.1']);
  node.installation.left = { event: 'Rollback', success: true, fromVersion: 'v1.24.0', toVersion: 'v1.23.1' };
  await using agent = await node.start();
  expect(await agent.action('RollBack')).toMatchObject({ succ: true, extend: 'v1.24.0,v1.23.1' });
});

it.each([
  ['that cannot be had', 'prepare', ['Check-'], 'no such version in the registry', ''],
  ['that cannot be backed up', 'backUp', ['Check+', 'WaitingConfirmation+', 'BackUp-'], 'the disk is full', ','],
  ['that cannot be handed over', 'upgrade', ['Check+', 'WaitingConfirmation+', 'BackUp+', 'Upgrade-', 'RollBack+'], 'another change is under way', ','],
] as const)('[taskmanager-5.4] an upgrade %s ends with the reason', async (_name, what, flow, text, extend) => {
  const node = new Node();
  node.installation.failures[what] = text;
  await using agent = await node.start();
  await upgrade(agent);
  await until('it has ended', () => flowOf(node).length === flow.length && node.records.length === 0);
  expect(flowOf(node)).toEqual(flow);
  const failed = node.reports.map(({ content }) => content as ActionStatus).find(({ succ }) => !succ);
  expect(failed).toMatchObject({ reason: text, extend });
});

it('[taskmanager-5.5] what is wrong with the order, or with the node, fails in Check by name', async () => {
  const node = new Node();
  node.meter = { ...node.meter, memory: () => Promise.resolve(93) };
  await using agent = await node.start();
  const cases: readonly (readonly [string, object, string])[] = [
    ['a', { version: 'latest' }, 'version "latest" is none'],
    ['b', { image: 'x' }, 'image "x:v1.24.0" has an invalid reference format'],
    ['c', { imageDigestGatter: { mips: 'x' } }, 'the job has no digest for processor'],
    ['d', { checkItems: ['cpu', 'mem'] }, 'memory: 93.00 % in use'],
    ['e', { checkItems: ['gpu'] }, 'check item "gpu" is not known'],
    ['f', { version: 7 }, 'the spec.version is 7, it must be a text'],
  ];
  for (const [job, parts, text] of cases) {
    await upgrade(agent, parts, job);
    expect((await agent.action('Check', job)).reason).toContain(text);
    await until('the record is as it has to be', () => node.records.length === 0);
  }
  expect(node.installation.prepared).toEqual([]);
});

it('[taskmanager-5.6] a digest goes to who verifies it', async () => {
  const node = new Node();
  const digest = `sha256:${'0'.repeat(64)}`;
  await using agent = await node.start();
  node.installation.onOrder = () => ended(node, true);
  await upgrade(agent, { imageDigestGatter: { amd64: digest, arm64: digest, arm: digest } });
  await agent.action('Upgrade');
  expect(node.installation.prepared).toEqual([{ version: 'v1.24.0', digest }]);
});

it('[taskmanager-6.1] an upgrade waits for the confirmation, through restarts, and goes on once', async () => {
  const node = new Node();
  {
    await using agent = await node.start();
    expect(await agent.confirm()).toEqual({ confirmed: false });
    await upgrade(agent, { requireConfirmation: true });
    expect(await agent.action('WaitingConfirmation')).toMatchObject({ succ: true });
  }
  {
    await using agent = await node.start();
    expect(flowOf(node)).toEqual(['Check+', 'WaitingConfirmation+']);
    await until('it waits to be confirmed', async () => ((await agent.confirm()) as { confirmed: boolean }).confirmed);
    expect(await agent.confirm()).toEqual({ confirmed: true });
    await until('it is handed over', () => node.installation.orders.length === 1);
  }
  ended(node, true);
  await using agent = await node.start();
  await agent.action('Upgrade');
  expect(flowOf(node)).toEqual(FLOW);
  await until('the record is as it has to be', () => node.records.length === 0);
  expect(await agent.confirm()).toEqual({ confirmed: false });
});

it('[taskmanager-6.2] an upgrade that the Go agent left waiting goes on with BackUp', async () => {
  const node = new Node();
  node.records = [{ version: 'v1alpha2', job: 'left', node: 'edge-node', value: { ...SPEC, requireConfirmation: true } }];
  await using agent = await node.start();
  node.installation.onOrder = () => ended(node, true);
  expect(await agent.confirm()).toEqual({ confirmed: true });
  await agent.action('Upgrade', 'left');
  expect(flowOf(node, 'left')).toEqual(['BackUp+', 'Upgrade+']);
});

it('[taskmanager-6.3] a later upgrade takes the place of one that waits, and is refused while one is under way', async () => {
  const node = new Node();
  await using agent = await node.start();
  await upgrade(agent, { requireConfirmation: true }, 'first');
  const rows = new JobRows({ store: node.store });
  await until('the first one waits', () => rows.all().some(({ phase }) => phase === 'waiting'));
  await upgrade(agent, {}, 'second');
  expect((await agent.action('BackUp', 'first')).reason).toBe('nobody confirmed it before second took its place');
  await until('it is handed over', () => node.installation.orders.length === 1);
  await upgrade(agent, {}, 'third');
  expect(await agent.action('Check', 'third')).toMatchObject({ succ: false, reason: 'the node is busy with second (Upgrade)' });
  // The same one again changes nothing.
  await upgrade(agent, {}, 'second');
  ended(node, true);
  await agent.action('Upgrade', 'second');
  expect(flowOf(node, 'second')).toEqual(FLOW);
  expect(node.installation.orders).toEqual(['upgrade v1.24.0 400']);
});

it('[taskmanager-5.8] a node that runs the version already is upgraded without being touched', async () => {
  const node = new Node();
  node.installation.version = 'v1.24.0';
  await using agent = await node.start();
  await upgrade(agent);
  expect(await agent.action('Upgrade')).toMatchObject({ succ: true, extend: 'v1.24.0,v1.24.0' });
  expect(node.installation.orders).toEqual([]);
});

it('[taskmanager-5.7] what was handed over and never begun, because power failed, is told and not tried again', async () => {
  const node = new Node();
  {
    await using agent = await node.start();
    await upgrade(agent);
    await until('it is handed over', () => node.installation.orders.length === 1);
  }
  node.installation.busy = false;
  await using agent = await node.start();
  expect(await agent.action('Upgrade')).toMatchObject({ succ: false, reason: 'nobody says what came of it; the node runs v1.23.1' });
  expect(await agent.action('RollBack')).toMatchObject({ succ: true, extend: 'v1.24.0,v1.23.1' });
  expect(node.installation.orders).toHaveLength(1);
});

it('[taskmanager-6.4] an agent that stops in the middle of a preparation does it again', async () => {
  const node = new Node();
  let release = (): void => undefined;
  node.installation.hold = new Promise((resolve) => (release = resolve));
  {
    const agent = await node.start();
    await upgrade(agent, { requireConfirmation: true });
    await until('the record is as it has to be', () => node.records.length === 1);
    const stopped = agent.running.stop();
    release();
    await stopped;
  }
  node.installation.hold = Promise.resolve();
  await using agent = await node.start();
  await agent.action('WaitingConfirmation');
  expect(flowOf(node)).toEqual(['Check+', 'WaitingConfirmation+']);
});
