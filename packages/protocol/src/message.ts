import { randomUUID } from 'node:crypto';
import { Operations } from './names.js';

/** Header of a message. Optional members are left out on the wire when empty. */
export interface MessageHeader {
  /** UUID v4. A resend keeps the same id. */
  readonly id: string;
  /** Id of the message that this one answers. */
  readonly parentId?: string;
  /** Creation time, milliseconds since the epoch. */
  readonly timestamp: number;
  /** Kubernetes resourceVersion of the object in the content, decimal. */
  readonly resourceVersion?: string;
  /** In-process flag of upstream; never true on the link. */
  readonly sync?: boolean;
  /** Context type of upstream; empty on the link. */
  readonly type?: string;
}

/** Where a message comes from and what it is about. Empty strings are left out on the wire. */
export interface MessageRoute {
  readonly source: string;
  readonly destination?: string;
  readonly group: string;
  readonly operation: string;
  readonly resource: string;
}

/** The envelope that all of KubeEdge speaks, on the link and between modules. Treat as immutable. */
export interface Message {
  readonly header: MessageHeader;
  readonly route: MessageRoute;
  /** Any JSON value; `null` when there is none. */
  readonly content: unknown;
}

/** What is needed to make a new message; id and time are filled in. */
export interface NewMessage {
  readonly source: string;
  readonly group: string;
  readonly operation: string;
  readonly resource: string;
  readonly content?: unknown;
  readonly resourceVersion?: string;
  readonly parentId?: string;
  readonly id?: string;
  readonly timestamp?: number;
}

/** A new message with a fresh id and the current time. */
export function createMessage(parts: NewMessage): Message {
  return {
    header: {
      id: parts.id ?? randomUUID(),
      timestamp: parts.timestamp ?? Date.now(),
      ...(parts.parentId ? { parentId: parts.parentId } : {}),
      ...(parts.resourceVersion ? { resourceVersion: parts.resourceVersion } : {}),
    },
    route: { source: parts.source, group: parts.group, operation: parts.operation, resource: parts.resource },
    content: parts.content ?? null,
  };
}

/** The answer to a message: new id, parent set, route copied, operation `response`. */
export function createResponse(request: Message, content: unknown, route: Partial<MessageRoute> = {}): Message {
  return createMessage({ ...request.route, operation: Operations.response, ...route, parentId: request.header.id, content });
}

/** The negative answer to a message: operation `error`, the text as content. */
export function createErrorResponse(request: Message, text: string, route: Partial<MessageRoute> = {}): Message {
  return createResponse(request, text, { operation: Operations.error, ...route });
}
