import { describe, expect, it } from 'vitest';
import { isRefusal, type TwinRequests } from '../decode/requests.js';
import { DELETED, newDevice, type DeviceState, type TwinState } from '../model/device.js';
import { planCloudTwins } from './plan-cloud.js';
import { MAX_PROPERTIES, planReport, type ReportPlan } from './plan-report.js';
import { planState } from './plan-state.js';

const NOW = 1_760_000_000_000;
const options = { now: NOW, skipUnchanged: true };
const twin = (parts: Partial<TwinState>): TwinState => ({
  expected: undefined, actual: undefined, expectedVersion: undefined, actualVersion: undefined, optional: true, type: 'string', description: '', metadata: '', ...parts,
});
const device = (twins: Record<string, TwinState>): DeviceState => ({ ...newDevice('ns/d', 'd'), twins: new Map(Object.entries(twins)) });
const report = (state: DeviceState, request: TwinRequests): ReportPlan => {
  const plan = planReport(state, request, options);
  if (isRefusal(plan)) throw new Error(plan.reason);
  return plan;
};

describe('the plan of a report', () => {
  it('[twin-9.1] is empty when all stands as reported: the very same device', () => {
    const stands = device({ t: twin({ actual: { value: '1', timestamp: 5 }, actualVersion: { cloud: 0, edge: 3 } }) });
    const plan = report(stands, new Map([['t', { actual: { value: '1' } }]]));
    expect(plan.next).toBe(stands);
    expect([plan.changed, plan.document.size, [...plan.result]]).toEqual([[], 0, [['t', { actual: { value: '1', metadata: { timestamp: 5 } }, optional: true, metadata: { type: 'string' } }]]]);
  });

  it('[twin-9.2] never changes what stood before', () => {
    const stands = device({ t: twin({ actual: { value: '1', timestamp: 5 }, actualVersion: { cloud: 0, edge: 3 } }) });
    const before = structuredClone(stands);
    report(stands, new Map([['t', null], ['u', { actual: { value: '2' } }]]));
    expect(stands).toEqual(before);
  });

  it('[twin-9.3] takes names that mean something to JavaScript', () => {
    const names = ['__proto__', 'constructor', 'toString'];
    const plan = report(device({}), new Map(names.map((name) => [name, { actual: { value: '1' } }])));
    expect([...plan.next.twins.keys()]).toEqual(names);
  });

  it('[twin-9.4] refuses one property more than a device may have', () => {
    const many = new Map(Array.from({ length: MAX_PROPERTIES }, (_, index) => [`p${index}`, twin({})]));
    const full = { ...newDevice('ns/d', 'd'), twins: many };
    expect(planReport(full, new Map([['more', { actual: { value: '1' } }]]), options)).toEqual({ code: 400, reason: 'a device has at most 10000 properties, more would be one more' });
    expect(isRefusal(planReport(full, new Map([['p1', { actual: { value: '1' } }]]), options))).toBe(false);
  });

  it('[twin-9.5] without skipping, an equal value is a change as any other', () => {
    const stands = device({ t: twin({ actual: { value: '1', timestamp: 5 }, actualVersion: { cloud: 2, edge: 3 } }) });
    const plan = planReport(stands, new Map([['t', { actual: { value: '1' } }]]), { now: NOW, skipUnchanged: false }) as ReportPlan;
    expect(plan.next.twins.get('t')).toMatchObject({ actual: { value: '1', timestamp: NOW }, actualVersion: { cloud: 2, edge: 4 } });
  });
});

describe('the plan of twins from the cloud', () => {
  const stands = device({ t: twin({ expected: { value: '1', timestamp: 5 }, expectedVersion: { cloud: 2, edge: 1 }, actual: { value: '1', timestamp: 5 }, actualVersion: { cloud: 2, edge: 7 } }) });

  it('[twin-9.6] rejects a deletion as a whole when one side is older', () => {
    const plan = planCloudTwins(stands, new Map([['t', { metadata: { type: DELETED }, expectedVersion: { cloud: 3, edge: 1 }, actualVersion: { cloud: 3, edge: 6 } }]]), NOW);
    expect(plan).toMatchObject({ changed: [], rejected: ['t'] });
    expect(plan.next).toBe(stands);
  });

  it('[twin-9.7] keeps an accepted expected value when the actual one is rejected', () => {
    const request: TwinRequests = new Map([['t', { expected: { value: '2' }, actual: { value: '2' }, metadata: { type: 'string' }, expectedVersion: { cloud: 3, edge: 1 }, actualVersion: { cloud: 3, edge: 6 } }]]);
    const plan = planCloudTwins(stands, request, NOW);
    expect(plan).toMatchObject({ changed: ['t'], rejected: ['t'], accepted: [] });
    expect(plan.next.twins.get('t')).toMatchObject({ expected: { value: '2' }, expectedVersion: { cloud: 3, edge: 1 }, actual: { value: '1' }, actualVersion: { cloud: 2, edge: 7 } });
  });

  it('[twin-9.8] is empty when the cloud repeats itself', () => {
    const request: TwinRequests = new Map([['t', { expected: { value: '1' }, metadata: { type: 'string' }, expectedVersion: { cloud: 2, edge: 1 } }]]);
    expect(planCloudTwins(stands, request, NOW)).toMatchObject({ next: stands, changed: [], rejected: [] });
  });
});

describe('the plan of a state', () => {
  it('[twin-9.9] refreshes the time of a device that stays online once a minute', () => {
    const online = { ...newDevice('ns/d', 'd', '', 'online'), lastOnline: '2025-10-09T08:53:20Z' };
    const at = Date.parse(online.lastOnline);
    const plan = (after: number): boolean => planState(online, 'online', online.lastOnline, { now: at + after, skipUnchanged: true }).changed;
    expect([0, 59_000, 60_000, 3_600_000].map(plan)).toEqual([false, false, true, true]);
    expect(planState(online, 'offline', '2025-10-09T08:54:00Z', { now: at + 59_000, skipUnchanged: true }).next).toMatchObject({ state: 'offline', lastOnline: '2025-10-09T08:54:00Z' });
  });
});
