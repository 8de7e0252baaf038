import { encodeMessage, type NodeTaskResponse } from '@edge/protocol';
import { expect, it } from 'vitest';
import { Node, until } from './scene.js';

const UPGRADE = { UpgradeID: 't1', HistoryID: 'h', Version: 'v1.24.0', UpgradeTool: '', Image: 'kubeedge/installation-package:v1.24.0', ImageDigest: '', RequireConfirmation: false };

it('[taskmanager-10.1] an upgrade of v1alpha1 is done stage by stage, as the cloud asks, and told as upstream tells it', async () => {
  const node = new Node();
  {
    await using agent = await node.start();
    await agent.task('upgrade', '', UPGRADE);
    await agent.event('Init');
    expect(node.records).toMatchObject([{ version: 'v1alpha1', job: 't1', node: '', value: { TaskID: 't1', Type: 'upgrade', State: '', Item: UPGRADE } }]);
    const [first] = node.reports;
    expect(first && encodeMessage({ ...first, header: { id: 'id', timestamp: 1 } })).toBe(
      '{"header":{"msg_id":"id","timestamp":1},"route":{"source":"websocket","group":"hub","operation":"upgrade","resource":"task/t1/node/edge-node"},"content":{"NodeName":"edge-node","State":"","Event":"Init","Action":"Success","Reason":"","Time":"","ExternalMessage":""}}\n',
    );
    await agent.task('upgrade', 'Checking', { CheckItem: ['cpu', 'mem', 'disk'] });
    expect(await agent.event('Check')).toMatchObject({ Action: 'Success' });
    await agent.task('upgrade', 'BackingUp', UPGRADE);
    expect(await agent.event('Backup')).toMatchObject({ Action: 'Success' });
    await agent.task('upgrade', 'Upgrading', UPGRADE);
    await until('it is handed over', () => node.installation.orders.length === 1);
    expect(node.records).toEqual([]);
  }
  expect(node.installation.prepared).toEqual([{ version: 'v1.24.0' }]);
  node.installation.left = { event: 'Upgrade', success: false, fromVersion: 'v1.23.1', toVersion: 'v1.24.0', errorMessage: 'not Ready' };
  await using agent = await node.start();
  expect(await agent.event('Upgrade')).toMatchObject({ Action: 'Failure', Reason: 'not Ready' });
  await agent.task('upgrade', 'RollingBack', UPGRADE);
  expect(await agent.event('Rollback')).toMatchObject({ Action: 'Success' });
  expect(node.installation.orders).toHaveLength(1);
  expect(node.installation.left).toBeUndefined();
});

it('[taskmanager-10.2] an upgrade of v1alpha1 that has to be confirmed waits through a restart, and goes on with its first stage', async () => {
  const node = new Node();
  {
    await using agent = await node.start();
    await agent.task('upgrade', 'Init', { ...UPGRADE, RequireConfirmation: true });
    expect(await agent.event('Confirm')).toMatchObject({ Action: 'Confirmation' });
    expect(node.installation.prepared).toEqual([]);
  }
  await using agent = await node.start();
  expect(await agent.confirm()).toEqual({ confirmed: true });
  expect(await agent.event('Init')).toMatchObject({ Action: 'Success' });
  expect(node.installation.prepared).toHaveLength(1);
});

it('[taskmanager-10.3] a node that runs the version already needs no upgrade', async () => {
  const node = new Node();
  node.installation.version = 'v1.24.0';
  await using agent = await node.start();
  await agent.task('upgrade', '', UPGRADE);
  expect(await agent.event('Upgrade')).toMatchObject({ Action: 'Success' });
  expect(node.installation.prepared).toEqual([]);
});

it('[taskmanager-10.4] images of v1alpha1 are told one by one; checks item by item', async () => {
  const node = new Node();
  node.meter = { ...node.meter, disks: () => Promise.resolve([{ path: '/data', percent: 95 }]) };
  node.pull = ({ image }) => (image === 'bad:1' ? 'manifest unknown' : undefined);
  await using agent = await node.start();
  await agent.task('prepull', 'Checking', { CheckItem: ['mem', 'disk'] });
  const checked: NodeTaskResponse = await agent.event('Check');
  expect(checked.Action).toBe('Failure');
  expect(JSON.parse(checked.Reason)).toEqual({ mem: 'ok', disk: expect.stringContaining('the disk of /data: 95.00 %') as string });
  await agent.task('prepull', 'Pulling', { Images: ['good:1', 'bad:1'], NodeName: '', Secret: 'default/reg', RetryTimes: 0, CheckItems: null });
  expect(await agent.event('Pull')).toMatchObject({
    Action: 'Failure',
    Reason: 'image bad:1 could not be pulled: manifest unknown',
    ExternalMessage: '[{"image":"good:1","state":"Successful"},{"image":"bad:1","state":"Failed","reason":"manifest unknown"}]',
  });
});
