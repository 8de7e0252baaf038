import type { Message } from './message.js';
import { resourceType } from './resource.js';

/** How a kind is recognised. Every given member must fit; a list means any of. */
export interface MessagePattern {
  readonly source?: string | readonly string[];
  readonly group?: string | readonly string[];
  readonly operation?: string | readonly string[];
  /** Type segment of the resource path. */
  readonly type?: string | readonly string[];
  /** The whole resource, exactly or by expression. */
  readonly resource?: string | RegExp;
  /** Only answers (`true`) or only messages that answer nothing (`false`). */
  readonly answer?: boolean;
}

/** A message kind: a name, how it is recognised, and a typed view of its content. */
export interface MessageKind<Body = unknown> {
  readonly name: string;
  readonly pattern: MessagePattern;
  /** Throws when the content is not of this kind; the message is then treated as one that could not be handled. */
  readonly decode: (content: unknown, message: Message) => Body;
}

/** Defines a kind; without `decode` the body is the content as it came. */
export function defineKind<Body = unknown>(
  name: string,
  pattern: MessagePattern,
  decode: (content: unknown, message: Message) => Body = (content) => content as Body,
): MessageKind<Body> {
  return { name, pattern, decode };
}

/** True when the message is of the kind. */
export function isKind(kind: MessageKind<unknown>, message: Message): boolean {
  const { pattern } = kind;
  const { route } = message;
  return (
    fits(pattern.source, route.source) &&
    fits(pattern.group, route.group) &&
    fits(pattern.operation, route.operation) &&
    (pattern.type === undefined || fits(pattern.type, resourceType(route.resource))) &&
    (pattern.resource === undefined ||
      (typeof pattern.resource === 'string' ? pattern.resource === route.resource : pattern.resource.test(route.resource))) &&
    (pattern.answer === undefined || pattern.answer === (message.header.parentId !== undefined))
  );
}

function fits(wanted: string | readonly string[] | undefined, value: string): boolean {
  if (wanted === undefined) return true;
  return typeof wanted === 'string' ? wanted === value : wanted.includes(value);
}
