import { expect, it } from 'vitest';
import { DeviceWorker } from '../src/device/device-worker.js';
import { parseDevice } from '../src/device/parse-device.js';
import { silentLog } from '../src/log.js';
import { testDevice } from '../src/testing/index.js';
import { eventually } from './support.js';

it('[mapper-7.8] requests without end do not hold up what is due', async () => {
  const timing = { collectMs: 1000, stateMs: 10_000, callMs: 5000, initMs: 5000, pauseMs: 20, longestPauseMs: 100, registerMs: 60_000 };
  const wire = testDevice({ properties: { polled: { collectCycle: 1 }, asked: { reportToCloud: false } } });
  const { device } = parseDevice(wire.device, wire.model, timing);
  let polled = 0;
  let asked = 0;
  let ended: number | undefined;
  const driver = {
    init: () => undefined,
    read({ name }: { readonly name: string }) {
      if (name === 'polled') polled += 1;
      // There is always one more who asks, until it is seen that the other is served or never will be.
      else if ((asked += 1) < 50_000 && polled < 10) askAgain();
      else ended ??= polled;
      return 1;
    },
  };
  const outlet = { status: () => undefined, state: () => undefined, push: () => undefined };
  const worker: DeviceWorker<undefined> = new DeviceWorker({ driver, device, outlet, report: 'cycle', log: silentLog, timing });
  const askAgain = (): void => void worker.read('asked').catch(() => undefined);
  askAgain();
  worker.start();
  await eventually(() => expect(ended).toBeDefined());
  await worker.stop();
  expect(ended).toBe(10);
});
