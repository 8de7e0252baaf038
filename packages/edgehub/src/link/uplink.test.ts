import { LocalBus, silentLogger } from '@edge/core';
import { createMessage } from '@edge/protocol';
import { createMemoryStore } from '@edge/testing';
import { expect, it } from 'vitest';
import { parseEdgeHubConfig } from '../config.js';
import { Outbox } from '../outbox/outbox.js';
import type { Channel } from './channel.js';
import { RoundTrip } from './round-trip.js';
import { Throttle } from './throttle.js';
import { Uplink } from './uplink.js';

it('[edgehub-4.18] has at most 32 confirmations asked for at a time, and misses none', async () => {
  const config = parseEdgeHubConfig({ messageQPS: 0 }, {});
  const outbox = new Outbox({ store: createMemoryStore(), config, log: silentLogger });
  // A long line: many messages may be under way.
  const roundTrip = new RoundTrip();
  roundTrip.sent(0, 0);
  roundTrip.answered(0, 600);
  let sent = 0;
  const pings: number[] = [];
  const channel = { open: true, writable: true, onWritable: undefined, send: () => (sent += 1), ping: (id: number) => pings.push(id), together: (work: () => void) => work() };
  using uplink = new Uplink({ channel: channel as unknown as Channel, outbox, throttle: new Throttle(0, 0), bus: new LocalBus(), roundTrip, messageQPS: 0 });
  outbox.onWork = () => uplink.pump();

  const total = 500;
  for (let index = 0; index < total; index += 1) {
    const message = createMessage({ source: 'edged', group: 'meta', operation: 'insert', resource: 'default/event/e', content: index });
    await outbox.accept(message, { lane: 'ordered' });
    // Each by itself on the disk, so that each is sent by itself.
    await outbox.flush();
  }
  expect(sent).toBe(total);
  expect(pings).toHaveLength(32);
  for (let answered = 0; answered < pings.length; answered += 1) uplink.pong(pings[answered] as number);
  expect(outbox.ordered.length).toBe(0);
  expect(pings.length).toBeLessThan(40);
});
