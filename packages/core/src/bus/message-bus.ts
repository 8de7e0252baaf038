import type { Message } from '@edge/protocol';
import { token } from '../token.js';

/** A module by its wire name, or all modules of a group. */
export type Target = { readonly module: string } | { readonly group: string };

export interface RequestOptions {
  /** Milliseconds to wait for the answer; upstream's 30 s unless given. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** How modules talk. The only way in which they meet. */
export interface MessageBus {
  /**
   * Puts a message into the receiver's lane. Resolves when it has its place, at once unless the lane is full.
   * @throws EdgeError `bus.no-receiver` nobody is there by that name; `bus.lane-full` lane and waiting room are full
   */
  send(to: Target, message: Message): Promise<void>;
  /**
   * Sends and waits for the answer, which may have operation `error`. With a group: the first answer counts.
   * @throws EdgeError `bus.timeout` naming the receiver, `bus.no-receiver`, `bus.lane-full`, `core.aborted`
   */
  request(to: Target, message: Message, options?: RequestOptions): Promise<Message>;
  /** As `request`, and waits for one answer of each member of the group. */
  requestAll(to: { readonly group: string }, message: Message, options?: RequestOptions): Promise<Message[]>;
  /** Hands an answer to whoever waits for it by its parent id. False when nobody does. */
  respond(answer: Message): boolean;
  /** True when somebody waits for an answer to the message with that id. */
  awaited(messageId: string): boolean;
  /** True when a module of that name, or any of that group, is there (running or between restarts). */
  reaches(to: Target): boolean;
}

export const MessageBus = token<MessageBus>('core', 'MessageBus');
