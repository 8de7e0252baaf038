import { LocalBus, Mailbox } from '@edge/core';
import { createMessage, createResponse } from '@edge/protocol';
import { figure, median } from './figure.js';

const COUNT = 300_000;

/** Messages through the bus from one sender to one receiver, in `lanes` lanes. */
async function throughput(lanes: number): Promise<number> {
  const bus = new LocalBus();
  const mailbox = new Mailbox();
  bus.attach({ module: 'receiver', group: 'receivers', mailbox });
  let received = 0;
  let done = (): void => undefined;
  const all = new Promise<void>((resolve) => (done = resolve));
  mailbox.open(
    (message) => message.route.resource,
    () => {
      received += 1;
      if (received === COUNT) done();
    },
  );
  const messages = Array.from({ length: lanes }, (_, lane) =>
    createMessage({ source: 'bench', group: 'resource', operation: 'update', resource: `default/pod/p${lane}`, content: { spec: {} } }),
  );
  const start = performance.now();
  for (let sent = 0; sent < COUNT; sent += 1) await bus.send({ module: 'receiver' }, messages[sent % lanes] as (typeof messages)[0]);
  await all;
  return (COUNT / (performance.now() - start)) * 1000;
}

async function requests(): Promise<number> {
  const bus = new LocalBus();
  const mailbox = new Mailbox();
  bus.attach({ module: 'receiver', group: 'receivers', mailbox });
  mailbox.open(
    () => 'one',
    (message) => void bus.respond(createResponse(message, 'OK')),
  );
  const count = 30_000;
  const start = performance.now();
  for (let sent = 0; sent < count; sent += 1) {
    await bus.request({ module: 'receiver' }, createMessage({ source: 'bench', group: 'resource', operation: 'query', resource: 'default/pod' }));
  }
  return (count / (performance.now() - start)) * 1000;
}

figure('bus, one lane', await median(5, () => throughput(1)), 'messages/s');
figure('bus, 100 lanes', await median(5, () => throughput(100)), 'messages/s');
figure('bus, request and answer', await median(3, requests), 'requests/s', 'one after the other');
