import { createMessage } from '@edge/protocol';
import { expect, it } from 'vitest';
import type { HandlerContext } from '../context.js';
import { updateLease } from './lease.js';

const stored = {
  metadata: { name: 'edge-1', namespace: 'kube-node-lease', uid: 'u', resourceVersion: '8', creationTimestamp: '2026-01-01T00:00:00Z', ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'edge-1', uid: 'n' }] },
  spec: { holderIdentity: 'edge-1', leaseDurationSeconds: 40, renewTime: '2026-01-01T00:00:00.000000Z' },
};
const context = { clients: { leases: { update: () => Promise.resolve(stored) } } } as unknown as HandlerContext;

async function answerTo(metadata: object): Promise<unknown> {
  const message = createMessage({ source: 'edged', group: 'meta', operation: 'update', resource: 'kube-node-lease/lease/edge-1', content: { metadata, spec: stored.spec } });
  const answer = await updateLease({ message, path: { namespace: 'kube-node-lease', type: 'lease', name: 'edge-1' } } as never, context);
  return (answer?.content as { Object: unknown }).Object;
}

it('[minicloud-5.30] a terse lease renewal is answered tersely, a whole one with the whole object', async () => {
  const { uid, resourceVersion, name, namespace } = stored.metadata;
  expect(await answerTo({ name, resourceVersion: '7' })).toEqual({ metadata: { name, namespace, uid, resourceVersion }, spec: stored.spec });
  expect(await answerTo({ name, uid, resourceVersion: '7' })).toEqual(stored);
});
