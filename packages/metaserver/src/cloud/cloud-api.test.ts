import { createCell, type CloudLink, type LinkStatus, type MessageBus } from '@edge/core';
import { createMessage, type Message } from '@edge/protocol';
import { testIdentity } from '@edge/testing';
import { expect, it } from 'vitest';
import { CloudApi } from './cloud-api.js';

it('[metaserver-5.7] a read shares the answer to an equal one, but not of one that was asked before a change was done', async () => {
  const asked: (() => void)[] = [];
  const bus = {
    request: (_to: unknown, { header, content }: Message) => new Promise<Message>((resolve) => {
      const answer = { ...(content as object), Status: 'Approved', RespBody: null };
      asked.push(() => resolve(createMessage({ source: 'dynamiccontroller', group: 'resource', operation: 'applicationResponse', resource: 'x', content: answer, parentId: header.id })));
    }),
  } as unknown as MessageBus;
  const link: CloudLink = createCell<LinkStatus>({ connected: true, session: 1, since: 0 });
  const cloud = new CloudApi({ bus, link, identity: testIdentity('n') });
  const read = (): Promise<unknown> => cloud.ask({ key: '/core/v1/pods/default/a', verb: 'get', option: {} });
  const change = cloud.ask({ key: '/core/v1/pods/default/a', verb: 'delete', option: {} });
  const early = [read(), read()];
  expect(asked).toHaveLength(2);
  asked[0]?.();
  await change;
  const late = read();
  expect(asked).toHaveLength(3);
  for (const answer of asked) answer();
  await Promise.all([...early, late]);
});
