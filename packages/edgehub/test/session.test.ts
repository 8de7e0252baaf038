import { silentLogger, type MessageBus } from '@edge/core';
import { createMessage } from '@edge/protocol';
import { createMemoryStore, createTestBus, createTestCa, testIdentity } from '@edge/testing';
import { expect, it } from 'vitest';
import { createPair } from '../src/certificates/pair.js';
import { parseEdgeHubConfig } from '../src/config.js';
import { dial } from '../src/link/dialer.js';
import { Session } from '../src/link/session.js';
import { Throttle } from '../src/link/throttle.js';
import { Outbox } from '../src/outbox/outbox.js';
import { FakeCloud } from './fake-cloud.js';
import { NODE } from './scene.js';

async function open(cloud: FakeCloud, bus: MessageBus, ca: Awaited<ReturnType<typeof createTestCa>>, unansweredLimitMs: number): Promise<Session> {
  const config = parseEdgeHubConfig({ websocket: { server: `127.0.0.1:${cloud.hubPort}` } }, {});
  const pair = createPair({ ca: ca.certificate, ...(await ca.node(NODE)) }, NODE);
  const channel = await dial(config, testIdentity(NODE), pair, new AbortController().signal);
  return new Session({
    number: 1, channel, config, bus, log: silentLogger, unansweredLimitMs,
    outbox: new Outbox({ store: createMemoryStore(), config, log: silentLogger }),
    throttle: new Throttle(0, 1),
    onMessage: () => undefined,
    onGarbage: () => undefined,
  });
}

const lease = createMessage({ source: 'edged', group: 'meta', operation: 'update', resource: `kube-node-lease/lease/${NODE}` });

it('[edgehub-3.17] ends a session in which the cloud answers no lease although the line lives', async () => {
  const ca = await createTestCa();
  await using cloud = await FakeCloud.start(ca);
  cloud.habits.answer = () => undefined;
  await using session = await open(cloud, createTestBus().bus, ca, 1500);
  await session.direct(lease, 'urgent');
  expect(await session.ended).toEqual({ by: 'unanswered', reason: expect.stringMatching(/answered nothing for \d s/) as string });
});

it('[edgehub-3.18] stays in a session whose leases are answered, and in one that asks nothing', async () => {
  const ca = await createTestCa();
  await using cloud = await FakeCloud.start(ca);
  await using session = await open(cloud, createTestBus().bus, ca, 1500);
  await session.direct(lease, 'urgent');
  const still = await Promise.race([session.ended, new Promise((resolve) => setTimeout(() => resolve('still open'), 4000))]);
  expect(still).toBe('still open');
  expect(session.roundTripMs).toBeGreaterThan(0);
});
