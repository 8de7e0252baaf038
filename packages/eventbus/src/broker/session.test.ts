import { describe, expect, it } from 'vitest';
import { Filters } from './filters.js';
import { Retained } from './retained.js';
import { Session, type LocalMessage } from './session.js';

const MIB = 1024 * 1024;
const big = Buffer.alloc(10 * MIB);

/** A client that takes what it gets and acknowledges when told to. */
function play(queueSize: number) {
  const room = { bytes: 0 };
  const session = new Session({ id: 'c', user: '', clean: false, queueSize, room });
  const outlet = {
    congested: false,
    written: 0,
    cuts: [] as string[],
    write: (_bytes: Buffer) => void (outlet.written += 1),
    cut: (why: string) => {
      outlet.cuts.push(why);
      session.detach(outlet);
    },
  };
  session.attach(outlet);
  const deliver = (payload: Buffer, more: Partial<LocalMessage> = {}) => session.deliver({ topic: 't', payload, qos: 2, retained: false, ...more }, more.qos ?? 1, () => payload);
  return { session, outlet, deliver, room };
}

describe('a session', () => {
  it('[session-1] lets retained messages wait however many they are, and counts what is published behind them', () => {
    const { session, outlet, deliver } = play(100);
    outlet.congested = true;
    for (let number = 0; number < 5000; number += 1) deliver(Buffer.from('x'), { retained: true });
    for (let number = 0; number < 100; number += 1) deliver(Buffer.from('y'));
    expect([outlet.cuts, session.backlog]).toEqual([[], 5100]);
    deliver(Buffer.from('z'));
    expect(outlet.cuts).toEqual(['it reads too slowly: more than 100 messages wait for it']);
    // Away, the oldest that was published is dropped, none that was retained.
    expect([session.backlog, session.dropped]).toEqual([5100, 1]);
    outlet.congested = false;
    session.attach(outlet);
    for (let id = 1; id <= 5100; id += 1) session.acknowledged('puback', id);
    expect([session.backlog, outlet.written]).toEqual([0, 5100]);
  });

  it('[session-2] lets go of a client that reads and acknowledges nothing, when bytes pile up', () => {
    const { session, outlet, deliver } = play(1000);
    for (let number = 0; number < 6; number += 1) deliver(big);
    expect([outlet.written, session.backlog, outlet.cuts]).toEqual([2, 6, []]);
    session.acknowledged('puback', 1);
    session.acknowledged('puback', 2);
    expect([outlet.written, session.backlog]).toEqual([4, 4]);
    for (let number = 0; number < 3; number += 1) deliver(big);
    expect([session.backlog, outlet.cuts]).toEqual([3, ['it acknowledges too slowly: more than 64 MiB wait for it']]);
  });

  it('[session-3] keeps 32 MiB at most for who is away, the newest, and one message of any size', () => {
    const { session, outlet, deliver } = play(1000);
    session.detach(outlet);
    for (let number = 0; number < 10; number += 1) deliver(big);
    expect([session.backlog, session.dropped]).toEqual([3, 7]);
    const other = play(1000);
    other.deliver(Buffer.alloc(80 * MIB));
    expect([other.outlet.written, other.outlet.cuts]).toEqual([1, []]);
  });

  it('[session-4] gives up the bytes of a message of QoS 2 when it is received, not when it is completed', () => {
    const { session, outlet, deliver } = play(1000);
    for (let id = 1; id <= 20; id += 1) {
      deliver(big, { qos: 2 });
      session.acknowledged('pubrec', id);
    }
    expect([session.backlog, outlet.cuts]).toEqual([20, []]);
    for (let id = 1; id <= 20; id += 1) session.acknowledged('pubcomp', id);
    expect(session.backlog).toBe(0);
  });

  it('[session-7] is counted with all that are away as long as its client is', () => {
    const { session, outlet, deliver, room } = play(1000);
    const size = Buffer.from('x').length + 't'.length + 256;
    deliver(Buffer.from('x'));
    deliver(Buffer.from('x'), { retained: true });
    expect(room.bytes).toBe(0);
    session.detach(outlet);
    session.detach(outlet);
    deliver(Buffer.from('x'));
    expect(room.bytes).toBe(3 * size);
    session.attach(outlet);
    session.acknowledged('puback', 1);
    expect(room.bytes).toBe(0);
    session.detach(outlet);
    expect(room.bytes).toBe(2 * size);
    session.clear();
    session.clear();
    expect([room.bytes, session.backlog]).toEqual([0, 0]);
  });

  it('[session-5] retained messages count with their topics', () => {
    const retained = new Retained();
    const put = (number: number, payload = 'x'): boolean => retained.put({ topic: `${number}`.padEnd(MIB, '.'), payload: Buffer.from(payload), qos: 0, retained: false });
    const kept = Array.from({ length: 70 }, (_, number) => put(number));
    expect(kept.filter(Boolean)).toHaveLength(63);
    // One that is forgotten makes room for another.
    expect([put(0, ''), put(99), put(100)]).toEqual([true, true, false]);
  });

  it('[session-6] filters are limited in number, text and levels', () => {
    const count = (filter: (number: number) => string): number => {
      const filters = new Filters<number>();
      let number = 0;
      while (number < 20_000 && filters.add(filter(number), number)) number += 1;
      filters.delete(filter(0));
      expect(filters.add(filter(20_000), 0)).toBe(true);
      return number;
    };
    expect(count((number) => `plant/${number}/machine/+/state/#`)).toBe(10_000);
    expect(count((number) => `${number}`.padEnd(65_000, '.'))).toBe(32);
    expect(count((number) => `${number}${'/'.repeat(127)}`)).toBeLessThan(1000);
  });
});
