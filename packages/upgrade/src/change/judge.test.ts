import { describe, expect, it } from 'vitest';
import { judge, judgeReturn, MOST_STARTS, type AgentStatus, type Seen } from './judge.js';

const LIMITS = { version: '2.0.0', timeoutMs: 60_000, settleMs: 5_000, needsLink: true, tolerated: [] };
const STATUS: AgentStatus = { pid: 7, version: '2.0.0', ready: true, link: true, waitingFor: [] };
const EDGED = { what: 'module edged', why: 'it starts' };
const SEEN: Seen = { elapsedMs: 6_000, starts: 1, pid: 7, status: STATUS, readyMs: 5_000 };

describe('whether a version on trial works', () => {
  it.each([
    ['Ready for long enough', SEEN, 'works'],
    ['Ready, not for long enough', { ...SEEN, readyMs: 4_999 }, 'wait'],
    ['Ready at the last moment is given the time to stay so', { ...SEEN, elapsedMs: 64_999, readyMs: 4_000 }, 'wait'],
    ['Ready again and again', { ...SEEN, elapsedMs: 65_000, readyMs: 4_000 }, 'was not Ready within 60 s: it did not stay Ready'],
    ['not Ready yet', { ...SEEN, readyMs: 0, status: { ...STATUS, ready: false, waitingFor: [EDGED] } }, 'wait'],
    ['not Ready in time', { ...SEEN, elapsedMs: 60_000, readyMs: 0, status: { ...STATUS, ready: false, waitingFor: [EDGED, { what: 'node', why: 'no runtime' }] } }, '60 s: the agent waits for module edged (it starts), node (no runtime)'],
    ['without the link that was up', { ...SEEN, elapsedMs: 60_000, readyMs: 0, status: { ...STATUS, link: false } }, 'the link to the cloud does not come up again'],
    ['ends again and again', { ...SEEN, starts: MOST_STARTS, pid: undefined, status: undefined, readyMs: 0 }, `it was started ${MOST_STARTS} times`],
    ['ended some times and got Ready then', { ...SEEN, starts: MOST_STARTS }, 'works'],
    ['hangs before it says anything', { ...SEEN, elapsedMs: 60_000, status: undefined, readyMs: 0 }, 'does not get as far as to open its database'],
    ['says something of a process before', { ...SEEN, elapsedMs: 60_000, pid: 8, readyMs: 0 }, 'does not get as far'],
    ['is started by nobody', { ...SEEN, elapsedMs: 60_000, starts: 0, pid: undefined, readyMs: 0 }, 'nothing starts the agent'],
    ['does not run when its time ends', { ...SEEN, elapsedMs: 60_000, pid: undefined, readyMs: 0 }, 'the agent does not run'],
    ['is another version', { ...SEEN, elapsedMs: 60_000, readyMs: 0, status: { ...STATUS, version: '1.0.0' } }, 'version 1.0.0 runs instead'],
  ])('[upgrade-3.1] %s', (_, seen, outcome) => {
    const verdict = judge(seen, LIMITS);
    expect(verdict.verdict === 'fails' ? verdict.reason : verdict.verdict).toContain(outcome);
  });

  it('[upgrade-3.2] a node that had no link before needs none', () => {
    expect(judge({ ...SEEN, status: { ...STATUS, link: false } }, { ...LIMITS, needsLink: false })).toEqual({ verdict: 'works' });
  });

  it('[upgrade-3.4] a module that was not ready before need not be', () => {
    const seen = { ...SEEN, status: { ...STATUS, ready: false, waitingFor: [EDGED] } };
    expect(judge(seen, { ...LIMITS, tolerated: ['module edged'] })).toEqual({ verdict: 'works' });
    expect(judge(seen, { ...LIMITS, tolerated: ['module eventbus'] })).toEqual({ verdict: 'wait' });
  });
});

describe('whether the version from before starts', () => {
  it.each([
    ['it only has to hold its database', { ...SEEN, readyMs: 0, status: { ...STATUS, ready: false, link: false } }, 'works'],
    ['it has not started yet', { ...SEEN, pid: undefined }, 'wait'],
    ['it ends again and again', { ...SEEN, starts: MOST_STARTS, pid: undefined }, 'the agent does not run'],
    ['it does not get that far in time', { ...SEEN, elapsedMs: 60_000, status: undefined }, 'does not get as far'],
  ])('[upgrade-3.3] %s', (_, seen, outcome) => {
    const verdict = judgeReturn(seen, LIMITS);
    expect(verdict.verdict === 'fails' ? verdict.reason : verdict.verdict).toContain(outcome);
  });
});
