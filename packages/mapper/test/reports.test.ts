import { expect, it } from 'vitest';
import { MapperError, MapperErrors } from '../src/errors.js';
import { Reports } from '../src/report/reports.js';
import { eventually } from './support.js';

it('[mapper-5.4] an EdgeCore that does not answer is told once, not for each device', async () => {
  const lines: string[] = [];
  const add = (line: string): void => void lines.push(line);
  const reported: string[] = [];
  let calls = 0;
  let away = true;
  const report = async (_namespace: string, name: string): Promise<void> => {
    calls += 1;
    if (away) throw new MapperError(MapperErrors.edgeCoreAway, `EdgeCore does not answer (${calls})`);
    reported.push(name);
  };
  const reports = new Reports({ target: { reportStatus: report, reportState: report }, log: { error: add, warn: add, info: add }, pause: { firstMs: 1, limitMs: 1 } });
  const names = ['one', 'two', 'three'];
  for (const name of names) {
    const device = { id: `default/${name}`, namespace: 'default', name };
    reports.status(device, { propertyName: 'a', observedDesired: undefined, reported: { value: '1', metadata: {} } });
    reports.state(device, 'online');
  }
  reports.resume();
  await eventually(() => expect(calls).toBeGreaterThan(20));
  away = false;
  await eventually(() => expect(reported.sort()).toEqual(['one', 'one', 'three', 'three', 'two', 'two']));
  await eventually(() => expect(reports.waiting).toBe(0));
  reports.stop();
  expect(lines).toEqual(['reports do not reach EdgeCore, the latest values are kept: EdgeCore does not answer (1)', 'reports reach EdgeCore again']);
});
