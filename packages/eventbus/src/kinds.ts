import { defineKind, Operations } from '@edge/protocol';
import { eventBusError } from './errors.js';
import { isTopic } from './topics.js';

/** What is to be published where. */
export interface Publication {
  readonly topic: string;
  readonly payload: Buffer;
}

/** A topic to publish to; content is text or bytes. Source: KubeEdge v1.23. */
export const publish = defineKind<Publication>('publish', { operation: Operations.publish }, (content, { route }) => ({
  topic: checkedTopic(route.resource),
  payload: bytesOf(content, route.resource),
}));

/** Legacy: the topic stands in the content, and what is published is the JSON around it. Source: KubeEdge v1.23. */
export const publishObject = defineKind<Publication>('publishObject', { operation: 'message' }, (content) => {
  const message = fieldOf(content, 'message');
  const topic = fieldOf(message, 'topic');
  if (typeof topic !== 'string') throw eventBusError('eventbus.malformed', 'operation message needs the content {"message":{"topic":"…"}} with a topic of text');
  return { topic: checkedTopic(topic), payload: Buffer.from(JSON.stringify(message)) };
});

/** Legacy: the answer to a question for authorisation. Source: KubeEdge v1.23. */
export const getResult = defineKind<Buffer>('getResult', { operation: 'get_result', resource: 'auth_info' }, (content) => Buffer.from(JSON.stringify(content)));

export const subscribe = defineKind<string>('subscribe', { operation: Operations.subscribe }, (_content, { route }) => route.resource);
export const unsubscribe = defineKind<string>('unsubscribe', { operation: Operations.unsubscribe }, (_content, { route }) => route.resource);

/** The link to the cloud came or went; nothing to do here, the outbox knows. */
export const connectionNotice = defineKind('connectionNotice', { operation: Operations.connect });

function checkedTopic(topic: string): string {
  if (isTopic(topic)) return topic;
  throw eventBusError('eventbus.malformed', `${JSON.stringify(topic.slice(0, 200))} cannot be published to: a topic has 1 to 65535 bytes and no + and no #`);
}

function bytesOf(content: unknown, topic: string): Buffer {
  if (typeof content === 'string') return Buffer.from(content);
  if (content instanceof Uint8Array) return Buffer.from(content);
  throw eventBusError('eventbus.malformed', `what is published to ${topic} must be text or bytes, it is ${content === null ? 'nothing' : typeof content}`);
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}
