import { expect, it } from 'vitest';
import { planDrops } from './limits.js';

const limits = { maxBytes: 100, maxAgeSeconds: 3600 };
const now = Date.UTC(2026, 10, 22);
const fresh = { bytes: 30, created: now - 1000 };
const old = { bytes: 30, created: now - 3_600_001 };

it('[edgehub-4.15] drops nothing while there is room', () => {
  expect(planDrops([fresh, fresh], 100, limits, now)).toEqual({ count: 0, bytes: 0, tooOld: 0 });
});

it('[edgehub-4.16] drops the oldest until the rest fits, and whatever is too old', () => {
  expect(planDrops([fresh, fresh, fresh], 150, limits, now)).toEqual({ count: 2, bytes: 60, tooOld: 0 });
  expect(planDrops([old, old, fresh], 90, limits, now)).toEqual({ count: 2, bytes: 60, tooOld: 2 });
});

it('[edgehub-4.17] does not take a message for old that was written down before the clock was right', () => {
  expect(planDrops([{ bytes: 30, created: 5000 }], 30, limits, now)).toEqual({ count: 0, bytes: 0, tooOld: 0 });
});
