import { createMessage, type ActionStatus } from '@edge/protocol';
import fc from 'fast-check';
import { loops } from '@edge/testing';
import { expect, it } from 'vitest';
import { JobRows } from '../src/records/job-rows.js';
import { flowOf, Node, until } from './scene.js';

const prePull = (parts: object): object => ({ imagePrePullTemplate: { images: ['nginx:1.27', 'busybox:1.36'], ...parts } });

it('[taskmanager-7.1] each image is told by itself, what failed is tried again as often as the job says, the secret goes along', async () => {
  const node = new Node();
  await using agent = await node.start();
  node.pull = ({ image }) => (image === 'busybox:1.36' ? 'not <found>' : undefined);
  await agent.job('imageprepulljob', prePull({ imageSecrets: 'default/regcred', retryTimes: 1 }));
  const status = await agent.action('Pull');
  expect(status).toMatchObject({ succ: false, reason: '1 of 2 images could not be pulled' });
  // As Go writes it inside of a text: escaped for HTML.
  expect(status.extend).toBe('[{"image":"nginx:1.27","status":"True"},{"image":"busybox:1.36","status":"False","reason":"not \\u003cfound\\u003e"}]');
  expect(node.pulls.map(({ image }) => image)).toEqual(['nginx:1.27', 'busybox:1.36', 'busybox:1.36']);
  expect(node.pulls.every(({ secret }) => secret === 'default/regcred')).toBe(true);
  expect(flowOf(node)).toEqual(['Check+', 'Pull-']);
});

it('[taskmanager-7.2] a pull that the end of the agent cut off begins anew after the start', async () => {
  const node = new Node();
  const rows = new JobRows({ store: node.store });
  await rows.put({ resource: 'operations.kubeedge.io/v1alpha2/imageprepulljob/j1/node/edge-node', action: 'Pull', phase: 'doing', content: JSON.stringify(prePull({})), from_version: '' });
  await using agent = await node.start();
  expect(await agent.action('Pull')).toMatchObject({ succ: true });
  expect(flowOf(node)).toEqual(['Pull+']);
  await until('nothing is left of it', () => rows.all().length === 0);
});

it('[taskmanager-7.3] a report that edgehub cannot keep is given again, and the job does not go on without it', async () => {
  const node = new Node();
  node.keeps = false;
  await using agent = await node.start();
  await agent.job('imageprepulljob', prePull({}));
  await until('it was refused twice', () => agent.hub.received.length >= 2);
  expect(node.pulls).toEqual([]);
  node.keeps = true;
  await agent.action('Pull');
  expect(flowOf(node)).toEqual(['Check+', 'Pull+']);
  expect(new Set(agent.hub.received.map(({ header }) => header.id)).size).toBe(2);
});

it('[taskmanager-8.1] a configuration is handed over once and told after the restart, which upstream never does', async () => {
  const node = new Node();
  {
    await using agent = await node.start();
    await agent.job('configupdatejob', { updateFields: { 'modules.edgeHub.heartbeat': '20' } });
    await until('it is handed over', () => node.installation.orders.length === 1);
  }
  expect(node.installation.orders).toEqual(['update {"modules.edgeHub.heartbeat":"20"}']);
  node.installation.left = { event: 'ConfigUpdate', success: true, fromVersion: 'v1.23.1', toVersion: 'v1.23.1' };
  await using agent = await node.start();
  expect(await agent.action('Update')).toMatchObject({ succ: true, reason: '', extend: '', finishTime: expect.stringMatching(/Z$/) as string });
  expect(flowOf(node)).toEqual(['Check+', 'BackUp+', 'Update+']);
  expect(node.reports.slice(0, 2).map(({ content }) => (content as ActionStatus).finishTime)).toEqual(['', '']);
});

it('[taskmanager-8.2] a field that is wrong is named before anything stops; nothing has to be rolled back', async () => {
  const node = new Node();
  node.installation.failures.updateConfiguration = 'modules.edgeHub.heartbeat is "often", it must be a whole number';
  await using agent = await node.start();
  await agent.job('configupdatejob', { updateFields: { 'modules.edgeHub.heartbeat': 'often' } });
  expect(await agent.action('Update')).toMatchObject({ succ: false, reason: 'modules.edgeHub.heartbeat is "often", it must be a whole number' });
  await agent.action('RollBack');
  await agent.job('configupdatejob', {}, { job: 'j2' });
  expect((await agent.action('Update', 'j2')).reason).toBe('the job names no field that is to be changed');
  await agent.action('RollBack', 'j2');
  expect(flowOf(node)).toEqual(['Check+', 'BackUp+', 'Update-', 'RollBack+']);
  expect(node.installation.orders).toEqual([]);
});

it('[taskmanager-8.3] changes of the agent come one after the other: a configuration waits for an upgrade that is under way', async () => {
  const node = new Node();
  await using agent = await node.start();
  await agent.job('nodeupgradejob', { version: 'v1.24.0', image: 'a/b' }, { job: 'up' });
  await until('it is handed over', () => node.installation.orders.length === 1);
  await agent.job('configupdatejob', { updateFields: { a: '1' } }, { job: 'cu' });
  await agent.action('Check', 'cu');
  expect(flowOf(node, 'cu')).toEqual(['Check+']);
  node.installation.onOrder = () => (node.installation.left = { event: 'ConfigUpdate', success: true, fromVersion: '', toVersion: '' });
  node.installation.left = { event: 'Upgrade', success: true, fromVersion: 'v1.23.1', toVersion: 'v1.24.0' };
  await agent.action('Update', 'cu');
  const all = node.reports.map(({ content }) => (content as ActionStatus).action);
  expect(all.slice(-3)).toEqual(['Upgrade', 'BackUp', 'Update']);
});

it('[taskmanager-8.4] a configuration waits, too, while an upgrade fetches its version; other jobs go on', async () => {
  const node = new Node();
  let fetched = (): void => undefined;
  node.installation.hold = new Promise((resolve) => (fetched = resolve));
  await using agent = await node.start();
  await agent.job('nodeupgradejob', { version: 'v1.24.0', image: 'a/b', requireConfirmation: true }, { job: 'up' });
  await agent.job('configupdatejob', { updateFields: { a: '1' } }, { job: 'cu' });
  await agent.action('Check', 'cu');
  await agent.job('imageprepulljob', prePull({}), { job: 'pp' });
  await agent.action('Pull', 'pp');
  expect(flowOf(node, 'cu')).toEqual(['Check+']);
  fetched();
  await agent.action('WaitingConfirmation', 'up');
  await until('the configuration is handed over', () => node.installation.orders.length === 1);
  expect(flowOf(node, 'cu')).toEqual(['Check+', 'BackUp+']);
});

it('[taskmanager-9.1] an action that the type does not have is told; what is no job is set aside and harms nobody', async () => {
  const node = new Node();
  await using agent = await node.start();
  await agent.job('imageprepulljob', prePull({}), { operation: 'Upgrade' });
  expect(await agent.action('Upgrade')).toMatchObject({ action: 'Upgrade', succ: false, reason: 'a imageprepulljob has no action "Upgrade"' });
  await agent.job('nodepaintjob', {});
  await agent.send(createMessage({ source: 'taskmanager', group: 'taskmanager', operation: 'Check', resource: 'operations.kubeedge.io/v1alpha2/imageprepulljob/j1', content: {} }));
  await agent.task('prepull', 'Upgrading', {});
  await agent.task('paint', '', {});
  await until('four are set aside', () => agent.running.letters.length === 4);
  expect(agent.running.letters.map(({ error }) => (error as Error).message)).toEqual([
    'jobs of type "nodepaintjob" are not known; known are nodeupgradejob, imageprepulljob, configupdatejob',
    expect.stringContaining('is not operations.kubeedge.io/v1alpha2/<type>/<job>/node/<node>') as string,
    'a task of type "prepull" has no state "Upgrading"',
    'a task of type "paint" has no state ""',
  ]);
});

it('[taskmanager-9.2] whatever the cloud sends, the next job is done', async () => {
  const node = new Node();
  await using agent = await node.start();
  const value = fc.jsonValue({ maxDepth: 3 });
  const segment = fc.oneof(fc.string({ maxLength: 5 }), fc.constantFrom('nodeupgradejob', 'imageprepulljob', 'configupdatejob', 'node', 'upgrade', 'prepull', '__proto__'));
  const resource = fc.oneof(
    fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => `operations.kubeedge.io/v1alpha2/${parts.join('/')}`),
    fc.tuple(fc.constantFrom('nodeupgradejob', 'imageprepulljob', 'configupdatejob'), fc.uuid()).map(([type, job]) => `operations.kubeedge.io/v1alpha2/${type}/${job}/node/n`),
    fc.array(segment, { maxLength: 5 }).map((parts) => parts.join('/')),
  );
  const operation = fc.constantFrom('Check', 'Pull', 'RollBack', 'Upgrade', 'toString', '', 'upgrade');
  const content = fc.oneof(value, fc.record({ TaskID: value, Type: fc.constantFrom('upgrade', 'prepull', 'x'), State: fc.constantFrom('', 'Checking', 'Pulling'), Item: value }));
  await fc.assert(
    fc.asyncProperty(resource, operation, content, (where, what, body) => agent.send(createMessage({ source: 'taskmanager', group: 'taskmanager', operation: what, resource: where, content: body }))),
    { numRuns: loops(2000, 200) },
  );
  await agent.job('imageprepulljob', prePull({}), { job: 'last' });
  expect(await agent.action('Pull', 'last')).toMatchObject({ succ: true });
  expect(node.installation.orders).toEqual([]);
});
