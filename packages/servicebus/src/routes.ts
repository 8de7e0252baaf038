import { route, type Route } from '@edge/core';
import * as kinds from './kinds.js';
import type { ServiceBus } from './servicebus.js';

/** What servicebus handles. A call does not hold up the next one. */
export const routes: readonly Route<ServiceBus>[] = [
  route(kinds.start, 'urls', (module: ServiceBus, url) => module.allowUrl(url)),
  route(kinds.stop, 'urls', (module: ServiceBus, url) => module.forbidUrl(url)),
  route(kinds.call, 'calls', (module: ServiceBus, _content, message) => module.callService(message)),
  route(kinds.others, 'calls', () => undefined),
];
