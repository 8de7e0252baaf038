import { createMessage, createResponse, type Message } from '@edge/protocol';
import { describe, expect, it } from 'vitest';
import { LocalBus } from './local-bus.js';
import { Mailbox } from './mailbox.js';

const message = (resource = 'default/pod/p', operation = 'insert'): Message =>
  createMessage({ source: 'test', group: 'resource', operation, resource });
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function member(bus: LocalBus, module: string, group: string, receive: (message: Message) => void | Promise<void>, capacity?: number): Mailbox {
  const mailbox = new Mailbox(capacity);
  bus.attach({ module, group, mailbox });
  mailbox.open((given) => given.route.resource, receive);
  return mailbox;
}

describe('LocalBus', () => {
  it('[bus-1.1] keeps the order within a lane while lanes run side by side', async () => {
    const bus = new LocalBus();
    const done: string[] = [];
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    member(bus, 'a', 'g', async (given) => {
      if (given.route.resource === 'default/pod/slow') await gate;
      done.push(`${given.route.resource} ${given.route.operation}`);
    });
    await bus.send({ module: 'a' }, message('default/pod/slow', 'insert'));
    await bus.send({ module: 'a' }, message('default/pod/slow', 'update'));
    await bus.send({ module: 'a' }, message('default/pod/quick', 'insert'));
    await turn();
    expect(done).toEqual(['default/pod/quick insert']);
    release();
    await turn();
    expect(done.slice(1)).toEqual(['default/pod/slow insert', 'default/pod/slow update']);
  });

  it('[bus-1.2] makes senders wait when a lane is full and refuses when the waiting room is full too', async () => {
    const bus = new LocalBus();
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const done: string[] = [];
    member(bus, 'a', 'g', (given) => gate.then(() => void done.push(given.header.id)), 2);
    const sent: string[] = [];
    const waits: Promise<void>[] = [];
    for (let i = 0; i < 5; i += 1) {
      const given = message();
      sent.push(given.header.id);
      waits.push(bus.send({ module: 'a' }, given));
      if (i === 0) await turn();
    }
    await expect(bus.send({ module: 'a' }, message())).rejects.toMatchObject({ code: 'bus.lane-full' });
    release();
    await Promise.all(waits);
    await turn();
    await turn();
    expect(done).toEqual(sent);
  });

  it('[bus-1.9] names the lanes whose messages wait for one that is not done, and none where nobody waits', async () => {
    const bus = new LocalBus();
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const mailbox = member(bus, 'a', 'g', () => gate);
    for (const resource of ['default/pod/alone', 'default/pod/held', 'default/pod/held']) await bus.send({ module: 'a' }, message(resource));
    await turn();
    const later = performance.now() + 60_000;
    expect(bus.heldUp(50_000, later)).toEqual(['a/default/pod/held']);
    expect(bus.heldUp(70_000, later)).toEqual([]);
    // Between two runs of a module nothing is handled, and that is no hanging.
    mailbox.shut();
    expect(bus.heldUp(50_000, later)).toEqual([]);
    mailbox.open((given) => given.route.resource, () => gate);
    release();
    await turn();
    await turn();
    expect(bus.heldUp(0, performance.now())).toEqual([]);
  });

  it('[bus-1.3] answers a request once, and tells who did not answer in time', async () => {
    const bus = new LocalBus();
    member(bus, 'a', 'g', (given) => void bus.respond(createResponse(given, 'OK')));
    member(bus, 'mute', 'g2', () => undefined);
    expect((await bus.request({ module: 'a' }, message())).content).toBe('OK');
    await expect(bus.request({ module: 'mute' }, message(), { timeoutMs: 10 })).rejects.toThrow('module mute did not answer insert default/pod/p within 10 ms');
    expect(bus.respond(createResponse(message(), 'late'))).toBe(false);
    await expect(bus.request({ module: 'nobody' }, message())).rejects.toMatchObject({ code: 'bus.no-receiver' });
  });

  it('[bus-1.4] gives each member of a group its copy and can wait for all of them', async () => {
    const bus = new LocalBus();
    for (const name of ['a', 'b', 'c']) member(bus, name, 'g', (given) => void bus.respond(createResponse(given, name)));
    const answers = await bus.requestAll({ group: 'g' }, message());
    expect(answers.map((answer) => answer.content).sort()).toEqual(['a', 'b', 'c']);
  });

  it('[bus-1.5] ends a request when its signal aborts', async () => {
    const bus = new LocalBus();
    member(bus, 'mute', 'g', () => undefined);
    const stop = new AbortController();
    const asked = bus.request({ module: 'mute' }, message(), { signal: stop.signal });
    stop.abort();
    await expect(asked).rejects.toMatchObject({ code: 'core.aborted' });
  });

  it('[bus-1.6] deals messages that came while shut into their lanes in order', async () => {
    const bus = new LocalBus();
    const mailbox = new Mailbox(10);
    bus.attach({ module: 'a', group: 'g', mailbox });
    for (const op of ['1', '2', '3']) await bus.send({ module: 'a' }, message('default/pod/x', op));
    const seen: string[] = [];
    mailbox.open((given) => given.route.resource, (given) => void seen.push(given.route.operation));
    await bus.send({ module: 'a' }, message('default/pod/x', '4'));
    await turn();
    expect(seen).toEqual(['1', '2', '3', '4']);
  });

  it('[bus-1.7] keeps the order of messages that wait for a place and of those that come at that moment', async () => {
    const bus = new LocalBus();
    const seen: number[] = [];
    let number = 0;
    const send = (): Promise<void> => bus.send({ module: 'a' }, message('default/pod/x', String((number += 1))));
    member(bus, 'a', 'g', async (given) => {
      seen.push(Number(given.route.operation));
      // Somebody sends whenever one is done, as it does who has a few under way at a time.
      if (number < 60) void send();
      await turn();
    }, 3);
    await Promise.all([...Array(6)].map(() => send()));
    for (let round = 0; round < 200 && seen.length < number; round += 1) await turn();
    expect(seen).toEqual([...Array(number).keys()].map((at) => at + 1));
  });

  it('[bus-1.8] messages that wait for a place keep their order over a restart of their receiver', async () => {
    const bus = new LocalBus();
    const mailbox = new Mailbox(2);
    bus.attach({ module: 'a', group: 'g', mailbox });
    const sent = ['1', '2', '3', '4'].map((operation) => bus.send({ module: 'a' }, message('default/pod/x', operation)));
    const seen: string[] = [];
    mailbox.open((given) => given.route.resource, (given) => void seen.push(given.route.operation));
    sent.push(bus.send({ module: 'a' }, message('default/pod/x', '5')));
    await Promise.all(sent);
    await turn();
    expect(seen).toEqual(['1', '2', '3', '4', '5']);
  });
});
