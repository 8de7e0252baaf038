import { createMessage, encodeMessage } from '@edge/protocol';
import { createTestCa, type PlayedModule } from '@edge/testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FakeCloud } from './fake-cloud.js';
import { scene } from './scene.js';

it('[edgehub-5.2] lives through garbage, wrong types in every field and unknown operations', async () => {
  const ca = await createTestCa();
  await using cloud = await FakeCloud.start(ca);
  const meta: { played?: PlayedModule } = {};
  await using place = await scene({ hubPort: cloud.hubPort, pair: { ca }, neighbours: (bus) => void (meta.played = bus.play('metamanager', 'meta')) });
  await using running = await place.run();
  await cloud.until(() => running.lines.some(({ message }) => message === 'the link to the cloud is open'), 'the link');
  const value = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom('resource', 'twin', 'user', 'taskmanager', '__proto__', 'response', 'error'));
  const frame = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc.record(
      {
        header: fc.oneof(fc.record({ msg_id: value, parent_msg_id: value, timestamp: value, resourceversion: value, sync: value, type: value }, { requiredKeys: [] }), value),
        route: fc.oneof(fc.record({ source: value, group: value, operation: value, resource: value, destination: value }, { requiredKeys: [] }), value),
        content: value,
      },
      { requiredKeys: [] },
    ).map((message) => JSON.stringify(message)),
  );
  for (const text of fc.sample(frame, 3000)) cloud.socket.send(text);
  cloud.socket.send(`{"header":${'['.repeat(100_000)}`);
  cloud.socket.send(encodeMessage(createMessage({ source: 'edgecontroller', group: 'resource', operation: 'update', resource: 'default/pod/after' })));
  await meta.played?.next(({ route }) => route.resource === 'default/pod/after', 20_000);
  expect(cloud.sessions).toHaveLength(1);
  expect(running.core.health.value['edgehub']).toMatchObject({ phase: 'ready', restarts: 0 });
  // Said, but not 3000 times.
  expect(running.lines.filter(({ level }) => level === 'warn' || level === 'error').length).toBeLessThan(120);
});

it('[edgehub-5.3] stops reading when the modules are slow instead of filling memory, and loses nothing', async () => {
  const ca = await createTestCa();
  await using cloud = await FakeCloud.start(ca);
  const got: string[] = [];
  let release: () => void = () => undefined;
  const slow = new Promise<void>((resolve) => (release = resolve));
  await using place = await scene({
    hubPort: cloud.hubPort,
    pair: { ca },
    neighbours: (bus) =>
      void bus.play('metamanager', 'meta', async ({ route }) => {
        if (route.operation === 'connect') return;
        await slow;
        got.push(route.resource);
      }),
  });
  await using running = await place.run();
  await cloud.until(() => running.lines.some(({ message }) => message === 'the link to the cloud is open'), 'the link');
  const content = 'x'.repeat(4000);
  const total = 12_000;
  for (let index = 0; index < total; index += 1) cloud.send(createMessage({ source: 'edgecontroller', group: 'resource', operation: 'update', resource: `default/configmap/c${index}`, content }));
  // Longer than a silent line is left alone: this silence is our own.
  await new Promise((resolve) => setTimeout(resolve, 12_000));
  expect(cloud.sessions).toHaveLength(1);
  // The rest of 48 MB is still with the sender.
  expect(cloud.socket.bufferedAmount).toBeGreaterThan(1_000_000);
  release();
  await cloud.until(() => got.length === total, 'everything', 20_000);
  expect(got).toEqual(Array.from({ length: total }, (_, index) => `default/configmap/c${index}`));
}, 60_000);
