import { route, type Route } from '@edge/core';
import type { DeviceTwin } from './devicetwin.js';
import * as kinds from './kinds.js';

/** Membership, objects and reports share a lane: a device is there before its object and before its first report. */
const DEVICES = 'devices';

/** What the device twin handles. The first row that fits counts. */
export const routes: readonly Route<DeviceTwin>[] = [
  // From the node.
  route(kinds.connectionNotice, 'notice', () => undefined),
  route(kinds.clientPublished, DEVICES, (module: DeviceTwin, payload, message) => module.clients.handle(payload, message)),
  route(kinds.objectStored, DEVICES, (module: DeviceTwin, _body, message) => module.objects.handle(message)),
  // From the cloud.
  route(kinds.twinCloudUpdated, DEVICES, (module: DeviceTwin, _body, message) => module.membership.cloudTwins(message)),
  route(kinds.membershipDetail, DEVICES, (module: DeviceTwin, _body, message) => module.membership.detail(message)),
  route(kinds.membershipUpdated, DEVICES, (module: DeviceTwin, _body, message) => module.membership.update(message)),
  route(kinds.lateAnswer, 'answers', (module: DeviceTwin, _body, message) => module.sync.lateAnswer(message)),
];
