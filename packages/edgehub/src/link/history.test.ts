import { expect, it } from 'vitest';
import { History } from './history.js';

it('[edgehub-3.16] counts short sessions as failures and forgets them after a good one', () => {
  const history = new History('n');
  const closed = { by: 'cloud', code: 1006, reason: '' } as const;
  history.failed();
  history.ended(0, closed, 500);
  expect(history.failures).toBe(2);
  history.ended(0, closed, 60_000);
  expect(history.failures).toBe(0);
  history.failed();
  history.ended(0, { by: 'silence', reason: '' }, 8000);
  expect(history.failures).toBe(0);
});

it('[edgehub-6.21] names the possible causes when the cloud answers nothing, and waits longer each time', () => {
  const history = new History('edge-1');
  expect(history.unansweredLimitMs).toBe(40_000);
  expect(history.ended(0, { by: 'unanswered', reason: '' }, 40_000)).toMatch(/for 40 s the cloud answered nothing: the node limit of CloudHub may be reached \(cloudHub\.nodeLimit\), its authorization may have rejected node "edge-1"/);
  for (let times = 0; times < 9; times += 1) history.ended(0, { by: 'unanswered', reason: '' }, 40_000);
  expect(history.unansweredLimitMs).toBe(320_000);
  history.heard();
  expect(history.unansweredLimitMs).toBe(40_000);
});

it('[edgehub-6.22] suspects a second node of the same name only when the cloud closes fresh sessions', () => {
  const history = new History('edge-1');
  const ends = (by: 'cloud' | 'silence', times: number): (string | undefined)[] =>
    Array.from({ length: times }, (_, index) => history.ended(index * 1000, by === 'cloud' ? { by, code: 1006, reason: '' } : { by, reason: '' }, index * 1000 + 50));
  expect(ends('silence', 5).at(-1)).toBeUndefined();
  expect(ends('cloud', 2).at(-1)).toBeUndefined();
  expect(ends('cloud', 1).at(-1)).toContain('same node name "edge-1"');
});
