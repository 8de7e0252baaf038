import type { Pod } from '@edge/protocol';
import { expect, it } from 'vitest';
import { EventMemory } from './event-memory.js';

const pod = (uid: string): Pod => ({ metadata: { uid }, spec: { containers: [] } });
const event = (message: string) => ({ type: 'Warning' as const, reason: 'Unhealthy', message });

it('[edged-20.60] what happens every ten seconds is told three times, then ever less often, with its count, on one object', () => {
  const memory = new EventMemory();
  const told: [number, number][] = [];
  for (let second = 0; second <= 3600; second += 10) {
    const one = memory.note(pod('u'), event('no'), `name-${second}`, second * 1000);
    if (one) told.push([second, one.count]);
    if (one) expect(one).toMatchObject({ name: 'name-0', first: 0, isNew: second === 0 });
  }
  expect(told.slice(0, 7)).toEqual([[0, 1], [10, 2], [20, 3], [40, 5], [80, 9], [160, 17], [320, 33]]);
  expect(told.slice(7).every(([second], at) => second === 620 + at * 300)).toBe(true);
});

it('[edged-20.61] after ten quiet minutes it is news again; others are told by themselves', () => {
  const memory = new EventMemory();
  memory.note(pod('u'), event('no'), 'one', 0);
  expect(memory.note(pod('u'), event('other'), 'two', 1)).toMatchObject({ name: 'two', isNew: true });
  expect(memory.note(pod('v'), event('no'), 'three', 1)).toMatchObject({ name: 'three', isNew: true });
  expect(memory.note(pod('u'), event('no'), 'four', 601_000)).toMatchObject({ name: 'four', count: 1, isNew: true });
});

it('[edged-20.62] a pod that says ever new things is told of 25 times, then once in five minutes', () => {
  const memory = new EventMemory();
  const tell = (from: number, to: number): number => Array.from({ length: to - from }, (_, at) => memory.note(pod('u'), event(`${from + at}`), 'n', (from + at) * 1000)).filter(Boolean).length;
  expect(tell(0, 200)).toBe(25);
  expect(tell(200, 3200)).toBe(10);
});
