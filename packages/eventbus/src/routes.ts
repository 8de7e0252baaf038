import { route, type Route } from '@edge/core';
import type { EventBus } from './eventbus.js';
import * as kinds from './kinds.js';

/** What eventbus handles. Publications keep their order; a commit of a subscription holds none of them up. */
export const routes: readonly Route<EventBus>[] = [
  route(kinds.publish, 'publish', (module: EventBus, { topic, payload }, message) => module.publish(topic, payload, message)),
  route(kinds.publishObject, 'publish', (module: EventBus, { topic, payload }, message) => module.publish(topic, payload, message)),
  route(kinds.getResult, 'publish', (module: EventBus, payload, message) => module.publishResult(payload, message)),
  route(kinds.subscribe, 'topics', (module: EventBus, topic, message) => module.subscribe(topic, message)),
  route(kinds.unsubscribe, 'topics', (module: EventBus, topic, message) => module.unsubscribe(topic, message)),
  route(kinds.connectionNotice, 'topics', () => undefined),
];
