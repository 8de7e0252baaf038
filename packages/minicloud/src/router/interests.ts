import { createMessage, Groups, Operations, Sources, type Message } from '@edge/protocol';
import { cleaned, type ActiveRule, type NodeRule } from './rules.js';

/** Something that a node has to listen to. Several rules may want the same. */
export interface Interest {
  readonly node: string;
  readonly from: NodeRule['from'];
  readonly resource: string;
}

/** What nodes have to listen to for these rules, each once. */
export function interestsOf(rules: Iterable<ActiveRule>): Map<string, Interest> {
  const interests = new Map<string, Interest>();
  for (const rule of rules) {
    if (rule.from === 'rest') continue;
    const { node, from, resource } = rule;
    interests.set(JSON.stringify([node, from, resource]), { node, from, resource });
  }
  return interests;
}

/** The message that begins it. Source: KubeEdge v1.23, capture 06. */
export function beginMessage({ from, resource }: Interest): Message {
  return from === 'eventbus' ? message(Sources.routerEventBus, Operations.subscribe, resource) : message(Sources.routerServiceBus, 'start', resource);
}

/** The message that ends it. CloudCore cleans the URL like a path, which leaves one slash of two. */
export function endMessage({ from, resource }: Interest): Message {
  return from === 'eventbus' ? message(Sources.routerEventBus, Operations.unsubscribe, resource) : message(Sources.routerServiceBus, 'stop', cleaned(resource));
}

function message(source: string, operation: string, resource: string): Message {
  return createMessage({ source, group: Groups.user, operation, resource });
}
