import type { KubeObject } from '@edge/kubeapi';
import { encodeMessage, type Message } from '@edge/protocol';
import { expect, it } from 'vitest';
import { JOBS_API } from '../src/jobs/job-kinds.js';
import type { JobStatus, StoredJob } from '../src/jobs/types.js';
import { joinReady, nodeBody, openCloud, type CloudFixture } from './cloud-fixture.js';
import type { EdgeClient } from './edge-client.js';
import { readRecording } from './recorded.js';

const PLURALS: Readonly<Record<string, string>> = { nodeupgradejob: 'nodeupgradejobs', imageprepulljob: 'imageprepulljobs', configupdatejob: 'configupdatejobs' };

const jobs = (fixture: CloudFixture, plural: string) => fixture.cloud.api.resource<StoredJob>(JOBS_API, plural);
const create = (fixture: CloudFixture, plural: string, name: string, spec: unknown): Promise<StoredJob> =>
  jobs(fixture, plural).create({ metadata: { name }, spec });
const statusOf = (fixture: CloudFixture, plural: string, name: string): JobStatus | undefined => jobs(fixture, plural).find(name)?.status;
const orders = (client: EdgeClient): Message[] => client.received.filter(({ route }) => route.source === 'taskmanager');

function report(client: EdgeClient, resource: string, content: object): void {
  client.send({ source: 'websocket', group: 'hub', operation: 'UpdateNodeActionStatus', resource, content: { succ: true, finishTime: '2026-11-22T03:26:37Z', reason: '', extend: '', ...content } });
}

const pull = (settings: object): object => ({ imagePrePullTemplate: { images: ['busybox:1.35'], ...settings } });

it('[minicloud-18.1] recorded jobs: the orders are CloudCore\'s, byte for byte, and its node\'s reports end them as they did', async () => {
  await using fixture = await openCloud();
  const client = await joinReady(fixture, 'edge-node');
  for (const recording of ['08-image-prepull', '17-node-jobs'].map(readRecording)) {
    for (const { message } of recording.filter(({ toEdge }) => toEdge)) {
      const [, , type = '', name = ''] = message.route.resource.split('/');
      // What an API server keeps of it: the null is CloudCore's.
      const { imageDigestGatter: _none, ...spec } = message.content as Record<string, unknown>;
      await create(fixture, PLURALS[type] ?? '', name, spec);
      const order = await client.waitForPush('Check', message.route.resource);
      expect(encodeMessage({ ...order, header: message.header })).toBe(encodeMessage(message));
    }
    for (const { message } of recording.filter(({ toEdge }) => !toEdge)) client.send({ ...message.route, content: message.content });
  }
  await client.until(() => Object.entries({ imageprepulljobs: 'pp1', nodeupgradejobs: 'up1', configupdatejobs: 'cu1' }).every(([plural, name]) => statusOf(fixture, plural, name)?.phase === 'Completed'));
  expect(statusOf(fixture, 'imageprepulljobs', 'pp1')).toEqual({
    phase: 'Completed',
    nodeStatus: [{
      nodeName: 'edge-node', phase: 'Successful', imageStatus: [{ image: 'docker.io/library/busybox:1.35', status: 'True' }],
      actionFlow: [{ action: 'Check', status: 'True', time: '2026-11-22T03:26:37Z' }, { action: 'Pull', status: 'True', time: '2026-11-22T03:26:37Z' }],
    }],
  });
  const upgrade = statusOf(fixture, 'nodeupgradejobs', 'up1')?.nodeStatus?.[0];
  expect(upgrade).toMatchObject({ phase: 'Failure', actionFlow: [{ action: 'Check', status: 'False', time: '2026-11-22T03:27:03Z' }] });
  expect(upgrade?.reason).toBe(upgrade?.actionFlow?.[0]?.reason);
  // Its node leaves finishTime empty; the cloud's own time stands for it.
  const update = statusOf(fixture, 'configupdatejobs', 'cu1')?.nodeStatus?.[0];
  expect(update).toMatchObject({ phase: 'Failure', reason: expect.stringContaining('keadm: command not found') as string, actionFlow: [{ action: 'Check' }, { action: 'BackUp', status: 'False' }] });
  for (const { time } of update?.actionFlow ?? []) expect(Date.parse(time)).toBeGreaterThan(0);
  expect(orders(client)).toHaveLength(3);
});

it('[minicloud-18.2] who gets a job: names or labels, ready edge nodes, connected ones; so many at a time; the next one when one is done', async () => {
  await using fixture = await openCloud();
  const [one, two] = [await joinReady(fixture, 'e1'), await joinReady(fixture, 'e2')];
  const late = await fixture.connect('e3');
  await late.ask('insert', 'null/node/e3', nodeBody('e3'));
  await create(fixture, 'imageprepulljobs', 'named', pull({ nodeNames: ['e1', 'e3', 'e9', 'e2'], failureTolerate: '0.5' }));
  const resource = (job: string, node: string): string => `${JOBS_API}/imageprepulljob/${job}/node/${node}`;
  await one.waitForPush('Check', resource('named', 'e1'));
  await one.until(() => statusOf(fixture, 'imageprepulljobs', 'named')?.phase === 'InProgress');
  const phases = (name: string): string[] => statusOf(fixture, 'imageprepulljobs', name)?.nodeStatus?.map(({ nodeName, phase }) => `${nodeName} ${phase}`) ?? [];
  expect(phases('named')).toEqual(['e1 InProgress', 'e3 Failure', 'e9 Failure', 'e2 Pending']);
  expect(orders(two)).toEqual([]);
  // Another node may not speak for it, and an action that the job does not have is none.
  report(two, resource('named', 'e1'), { action: 'Pull' });
  report(one, resource('named', 'e1'), { action: 'Upgrade' });
  report(one, resource('named', 'e1'), { action: 'Pull', succ: false, reason: 'there were some failures when pulling images', extend: '[{"image":"busybox:1.35","status":"False","reason":"not found"}]' });
  await two.waitForPush('Check', resource('named', 'e2'));
  // Twice, as when the link ended before the node heard that the report has arrived.
  for (let count = 0; count < 2; count += 1) report(two, resource('named', 'e2'), { action: 'Check' });
  report(two, resource('named', 'e2'), { action: 'Pull', extend: 'not json' });
  await one.until(() => statusOf(fixture, 'imageprepulljobs', 'named')?.phase === 'Failure');
  expect(statusOf(fixture, 'imageprepulljobs', 'named')).toMatchObject({
    reason: '3 of 4 nodes failed, more than failureTolerate allows',
    nodeStatus: [
      { phase: 'Failure', reason: 'there were some failures when pulling images', imageStatus: [{ image: 'busybox:1.35', status: 'False', reason: 'not found' }] },
      { reason: 'the node is not ready' }, { reason: 'there is no node of this name' }, { phase: 'Successful', imageStatus: [], actionFlow: [{ action: 'Check' }, { action: 'Pull' }] },
    ],
  });
  // By labels, all at once; a node that is away fails at once.
  two.close();
  await one.until(() => fixture.cloud.hub.sessions.length === 2);
  await create(fixture, 'imageprepulljobs', 'labelled', pull({ labelSelector: { matchLabels: { 'kubernetes.io/os': 'linux' } }, concurrency: 3, failureTolerate: '0.67' }));
  await one.waitForPush('Check', resource('labelled', 'e1'));
  report(one, resource('labelled', 'e1'), { action: 'Pull' });
  await one.until(() => statusOf(fixture, 'imageprepulljobs', 'labelled')?.phase === 'Completed');
  expect(statusOf(fixture, 'imageprepulljobs', 'labelled')?.nodeStatus).toMatchObject([
    { nodeName: 'e1', phase: 'Successful' }, { nodeName: 'e2', phase: 'Failure', reason: 'the node e2 is not connected to the current cloudcore instance' }, { nodeName: 'e3', reason: 'the node is not ready' },
  ]);
  for (const [name, settings] of Object.entries({ neither: {}, both: { nodeNames: ['e1'], labelSelector: {} }, nobody: { labelSelector: { matchLabels: { a: 'b' } } }, odd: { labelSelector: { matchExpressions: [{ key: 'a', operator: 'Near' }] } } })) {
    await create(fixture, 'imageprepulljobs', name, pull(settings));
    await one.until(() => statusOf(fixture, 'imageprepulljobs', name)?.phase === 'Failure');
    expect(statusOf(fixture, 'imageprepulljobs', name)?.reason).toMatch(/nodeNames|labelSelector/);
  }
  expect(orders(one).map(({ route }) => route.resource)).toEqual([resource('named', 'e1'), resource('labelled', 'e1')]);
});

it('[minicloud-18.3] an upgrade waits for its node beyond restarts of the cloud; a roll-back that works ends it well; a silent node is given up and may still say what became of it', async () => {
  await using fixture = await openCloud();
  const first = await joinReady(fixture, 'e1');
  const resource = `${JOBS_API}/nodeupgradejob/up/node/e1`;
  const digest = { amd64: 'sha256:1', arm64: 'sha256:2' };
  await create(fixture, 'nodeupgradejobs', 'up', { requireConfirmation: true, version: 'v1.23.1', nodeNames: ['e1'], imageDigestGatter: digest, image: 'kubeedge/installation-package', concurrency: 0, checkItems: [] });
  const order = await first.waitForPush('Check', resource);
  expect(JSON.stringify(order.content)).toBe(JSON.stringify({ version: 'v1.23.1', nodeNames: ['e1'], image: 'kubeedge/installation-package', imageDigestGatter: digest, requireConfirmation: true }));
  report(first, resource, { action: 'Check' });
  report(first, resource, { action: 'WaitingConfirmation' });
  const flow = (): string[] => statusOf(fixture, 'nodeupgradejobs', 'up')?.nodeStatus?.[0]?.actionFlow?.map(({ action }) => action) ?? [];
  await first.until(() => flow().length === 2);
  await fixture.restart();
  const second = await fixture.connect('e1');
  report(second, resource, { action: 'BackUp', extend: ',v1.22.1' });
  report(second, resource, { action: 'Upgrade', succ: false, reason: 'did not become ready', extend: ',' });
  await second.until(() => flow().length === 4);
  expect(statusOf(fixture, 'nodeupgradejobs', 'up')).toMatchObject({ phase: 'InProgress', nodeStatus: [{ phase: 'InProgress', currentVersion: 'v1.22.1' }] });
  report(second, resource, { action: 'RollBack', extend: 'v1.23.1,v1.22.1' });
  await second.until(() => statusOf(fixture, 'nodeupgradejobs', 'up')?.phase === 'Completed');
  expect(statusOf(fixture, 'nodeupgradejobs', 'up')?.nodeStatus?.[0]).toMatchObject({ phase: 'Successful', historicVersion: 'v1.23.1', currentVersion: 'v1.22.1' });
  expect(orders(second)).toEqual([]);

  await create(fixture, 'configupdatejobs', 'silent', { nodeNames: ['e1'], updateFields: { 'b.c': '2', a: '1' }, timeoutSeconds: 1 });
  const update = await second.waitForPush('Check', `${JOBS_API}/configupdatejob/silent/node/e1`);
  expect(JSON.stringify(update.content)).toBe('{"nodeNames":["e1"],"timeoutSeconds":1,"updateFields":{"a":"1","b.c":"2"}}');
  await second.until(() => statusOf(fixture, 'configupdatejobs', 'silent')?.phase === 'Failure');
  expect(statusOf(fixture, 'configupdatejobs', 'silent')?.nodeStatus).toEqual([{ nodeName: 'e1', phase: 'Unknown', reason: 'The node task has timed out' }]);
  report(second, update.route.resource, { action: 'Update' });
  await second.until(() => statusOf(fixture, 'configupdatejobs', 'silent')?.phase === 'Completed');
  expect(statusOf(fixture, 'configupdatejobs', 'silent')?.nodeStatus).toMatchObject([{ phase: 'Successful', actionFlow: [{ action: 'Update' }] }]);
});

it('[minicloud-18.4] a job whose fields are of the wrong type is refused by field', async () => {
  await using fixture = await openCloud();
  const refused = (plural: string, spec: object): Promise<KubeObject> => create(fixture, plural, 'x', spec);
  await expect(refused('imageprepulljobs', pull({ images: 'nginx' }))).rejects.toThrow(/spec\.imagePrePullTemplate\.images/);
  await expect(refused('nodeupgradejobs', { concurrency: 'two' })).rejects.toThrow(/spec\.concurrency/);
  await expect(refused('configupdatejobs', { nodeNames: ['e1'] })).rejects.toThrow(/updateFields/);
});
