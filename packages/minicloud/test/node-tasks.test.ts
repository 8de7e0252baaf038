import type { Message } from '@edge/protocol';
import { expect, it } from 'vitest';
import { TASKS_API, type TaskStatus } from '../src/jobs/v1alpha1/kinds.js';
import { joinReady, openCloud } from './cloud-fixture.js';
import { type EdgeClient, enrol, httpsGet } from './edge-client.js';

interface Task {
  TaskID: string;
  State: string;
  Item: Record<string, unknown>;
}

const orders = (client: EdgeClient): Message[] => client.received.filter(({ route }) => route.source === 'taskmanager');
const states = (client: EdgeClient): string[] => orders(client).map(({ content }) => (content as Task).State);

function report(client: EdgeClient, type: string, job: string, Event: string, Action = 'Success', more: object = {}): void {
  const content = { NodeName: client.node, State: '', Event, Action, Reason: '', Time: '', ExternalMessage: '', ...more };
  client.send({ source: 'websocket', group: 'hub', operation: type, resource: `task/${job}/node/${client.node}`, content });
}

it('[minicloud-18.9] with v1alpha1 the cloud drives every stage, one node at a time or more, and the next stage when all have done with one', async () => {
  await using fixture = await openCloud({ disableNodeTaskV1alpha2: true });
  const [one, two] = [await joinReady(fixture, 'e1'), await joinReady(fixture, 'e2')];
  const jobs = (plural: string) => fixture.cloud.api.resource(TASKS_API, plural);
  const status = (plural: string, name: string): TaskStatus => (jobs(plural).find(name)?.['status'] ?? {}) as TaskStatus;
  const told = (client: EdgeClient, count: number): Promise<void> => client.until(() => orders(client).length >= count);

  await jobs('imageprepulljobs').create({ metadata: { name: 'pp' }, spec: { imagePrePullTemplate: { images: ['nginx:1.27'], nodeNames: ['e1', 'e2', 'e1'], imageSecrets: 'default/regcred', retryTimes: 2, checkItems: ['disk'], failureTolerate: '1' } } });
  await told(one, 1);
  expect(orders(one)[0]?.route).toEqual({ source: 'taskmanager', group: 'taskmanager', operation: 'prepull', resource: 'prepull/pp/node/e1' });
  expect(JSON.stringify(orders(one)[0]?.content)).toBe('{"TaskID":"pp","Type":"prepull","State":"","Item":{"Images":["nginx:1.27"],"NodeName":"","Secret":"default/regcred","RetryTimes":2,"CheckItems":["disk"]}}');
  // Not another node's word, not out of turn; then one after the other.
  report(two, 'prepull', 'pp', 'Pull');
  two.send({ source: 'websocket', group: 'hub', operation: 'prepull', resource: 'task/pp/node/e1', content: { Event: 'Init', Action: 'Success' } });
  report(one, 'prepull', 'pp', 'Init');
  await told(two, 1);
  expect(states(one)).toEqual(['']);
  report(two, 'prepull', 'pp', 'Init');
  await told(one, 2);
  expect(JSON.stringify(orders(one)[1]?.content)).toBe('{"TaskID":"pp","Type":"prepull","State":"Checking","Item":{"CheckItem":["disk"]}}');
  report(one, 'prepull', 'pp', 'Check', 'Failure', { Reason: 'the disk is full' });
  await told(two, 2);
  report(two, 'prepull', 'pp', 'Check');
  await told(two, 3);
  expect([states(one), states(two)]).toEqual([['', 'Checking'], ['', 'Checking', 'Pulling']]);
  report(two, 'prepull', 'pp', 'Pull', 'Success', { ExternalMessage: '[{"image":"nginx:1.27","state":"Successful"}]' });
  await two.until(() => status('imageprepulljobs', 'pp').state === 'Successful');
  expect(status('imageprepulljobs', 'pp')).toMatchObject({
    state: 'Successful', event: 'Pull', action: 'Success',
    status: [
      { nodeStatus: { nodeName: 'e1', state: 'Failed', event: 'Check', action: 'Failure', reason: 'the disk is full' } },
      { nodeStatus: { nodeName: 'e2', state: 'Successful', event: 'Pull' }, imageStatus: [{ image: 'nginx:1.27', state: 'Successful' }] },
    ],
  });

  await jobs('nodeupgradejobs').create({ metadata: { name: 'up' }, spec: { version: 'v1.24.0', image: 'reg:5000/kubeedge/installation-package:v9', nodeNames: ['e2'], imageDigestGatter: { value: 'sha256:1' }, requireConfirmation: true } });
  await told(two, 4);
  expect(orders(two)[3]?.content).toEqual({
    TaskID: 'up', Type: 'upgrade', State: '',
    Item: { UpgradeID: 'up', HistoryID: expect.stringMatching(/^[0-9a-f-]{36}$/) as string, Version: 'v1.24.0', UpgradeTool: '', Image: 'reg:5000/kubeedge/installation-package:v1.24.0', ImageDigest: 'sha256:1', RequireConfirmation: true },
  });
  for (const [at, event] of ['Init', 'Check', 'Backup'].entries()) {
    report(two, 'upgrade', 'up', event);
    await told(two, 5 + at);
  }
  expect(states(two).slice(3)).toEqual(['', 'Checking', 'BackingUp', 'Upgrading']);
  report(two, 'upgrade', 'up', 'Rollback');
  await two.until(() => status('nodeupgradejobs', 'up').state === 'Failed');
  expect(status('nodeupgradejobs', 'up')).toMatchObject({ action: 'Failure', event: 'Rollback', nodeStatus: [{ nodeName: 'e2', state: 'Failed', event: 'Rollback', action: 'Success' }] });

  // A tool on the node reports over HTTPS while the agent is being replaced; another node's certificate does not do.
  await jobs('nodeupgradejobs').create({ metadata: { name: 'by-tool' }, spec: { version: 'v1.24.0', nodeNames: ['e1'] } });
  await one.until(() => status('nodeupgradejobs', 'by-tool').nodeStatus?.length === 1);
  const { httpsAddress, token } = fixture.cloud;
  const post = async (node: string, body: string, type = 'upgrade'): Promise<string> => {
    const keys = await enrol(httpsAddress, token(), node);
    const { status: code, body: text } = await httpsGet(`https://${httpsAddress}/task/${type}/name/by-tool/node/e1/status`, { ...keys, method: 'POST', body: Buffer.from(body) });
    return `${code} ${text.toString()}`;
  };
  expect(await post('e2', '{}')).toBe('403 only node e1 may report for itself, with its certificate');
  expect(await post('e1', 'nothing')).toMatch(/^400 .*JSON/);
  expect(await post('e1', '{}', 'dance')).toMatch(/^400 /);
  expect(await post('e1', '{"Event":"Upgrade","Action":"Success"}')).toBe('200 ok');
  await one.until(() => status('nodeupgradejobs', 'by-tool').state === 'Successful');

  // Nobody to do it: the version is there already, the node is not.
  for (const [name, spec] of Object.entries({ same: { version: 'v1.23.1', nodeNames: ['e1'] }, none: { version: 'v1.24.0', nodeNames: ['e9'] }, both: { nodeNames: ['e1'], labelSelector: {} } })) {
    await jobs('nodeupgradejobs').create({ metadata: { name }, spec });
    await two.until(() => status('nodeupgradejobs', name).state === 'Failed');
    expect(status('nodeupgradejobs', name).reason).toMatch(/ready edge node|labelSelector/);
  }
});
