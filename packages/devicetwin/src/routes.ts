import { route, type Route } from '@edge/core';
import type { DeviceTwin } from './devicetwin.js';
import * as kinds from './kinds.js';

/** Membership, reports and objects share a lane: a device is there before its object and before its first report. */
const DEVICES = 'devices';

/** What the device twin handles. The first row that fits counts. */
export const routes: readonly Route<DeviceTwin>[] = [
  route(kinds.connectionNotice, 'notice', () => undefined),
  route(kinds.objectStored, DEVICES, (module: DeviceTwin, _body, message) => module.objects.handle(message)),
];
