import { createMessage, type NewMessage } from '@edge/protocol';
import { expect, it } from 'vitest';
import { deliveryOf, mustBeAnswered } from './delivery-of.js';

const of = (parts: Partial<NewMessage>): ReturnType<typeof deliveryOf> =>
  deliveryOf(createMessage({ source: 'edged', group: 'meta', operation: 'query', resource: 'default/pod/p', ...parts }));

it('[edgehub-4.10] keeps states until they are answered, one per resource', () => {
  expect(of({ operation: 'patch', resource: 'default/podpatch/p' })).toEqual({ lane: 'answered', key: 'default/podpatch/p' });
  expect(of({ operation: 'patch', resource: 'null/nodepatch/n' })).toEqual({ lane: 'answered', key: 'null/nodepatch/n' });
  expect(of({ operation: 'delete', resource: 'default/pod/p' })).toEqual({ lane: 'answered', key: 'delete default/pod/p' });
});

it('[edgehub-4.11] keeps events, uploads and task results until the cloud has read them', () => {
  const ordered: Partial<NewMessage>[] = [
    { operation: 'insert', resource: 'default/event/e.1' },
    { operation: 'patch', resource: 'default/event/e.1' },
    { source: 'bus', group: 'user', operation: 'upload', resource: 'default/sensors/1' },
    { source: 'websocket', group: 'hub', operation: 'UpdateNodeActionStatus', resource: 'operations.kubeedge.io/v1alpha2/nodeupgradejob/u/node/n' },
    { source: 'websocket', group: 'hub', operation: 'upgrade', resource: 'task/t/node/n' },
  ];
  for (const parts of ordered) expect(of(parts)).toEqual({ lane: 'ordered' });
});

it('[edgehub-4.12] sends everything else in this session or not at all; leases go first', () => {
  expect(of({})).toEqual({ lane: 'direct', rank: 'normal' });
  expect(of({ operation: 'insert', resource: 'null/node/n' })).toEqual({ lane: 'direct', rank: 'normal' });
  expect(of({ operation: 'delete', resource: 'default/pod/p', source: 'metamanager' })).toEqual({ lane: 'direct', rank: 'normal' });
  expect(of({ source: 'twin', group: 'resource', operation: 'get', resource: 'membership/detail' })).toEqual({ lane: 'direct', rank: 'normal' });
  expect(of({ operation: 'update', resource: 'kube-node-lease/lease/n' })).toEqual({ lane: 'direct', rank: 'urgent' });
});

it('[edgehub-4.20] sends reports of devices in this session or not at all, behind questions: the twin keeps what is not confirmed', () => {
  for (const resource of ['device/default/d/twin/edge_updated', 'device/default/d/state/update']) {
    expect(of({ source: 'twin', group: 'resource', operation: 'update', resource })).toEqual({ lane: 'direct', rank: 'background' });
  }
});

it('[edgehub-4.13] passes acknowledgements and negative answers at once, other answers like questions', () => {
  for (const operation of ['response', 'error']) expect(of({ operation, parentId: 'p' })).toEqual({ lane: 'reply' });
  expect(of({ operation: 'upload', group: 'user', parentId: 'p' })).toEqual({ lane: 'direct', rank: 'normal' });
});

it('[edgehub-4.25] sends what a program on the node asks a rule in this session and only while it waits', () => {
  const call = { source: 'servicebus', group: 'user', operation: 'upload', resource: 'http://127.0.0.1:9000/echo' };
  expect(of(call)).toEqual({ lane: 'direct', rank: 'normal', whileAwaited: true });
  expect(of({ ...call, parentId: 'p' })).toEqual({ lane: 'direct', rank: 'normal' });
});

it('[edgehub-3.10] expects an answer to leases and states without exception', () => {
  const expects = (resource: string): boolean => mustBeAnswered(createMessage({ source: 'edged', group: 'meta', operation: 'update', resource }));
  expect([expects('kube-node-lease/lease/n'), expects('null/nodepatch/n'), expects('default/event/e')]).toEqual([true, true, false]);
});
