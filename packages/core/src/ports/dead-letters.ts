import type { Message } from '@edge/protocol';
import { token } from '../token.js';

/** Keeps messages that could not be handled, so that nothing is lost and no lane stops. */
export interface DeadLetters {
  /** @param module wire name of the module that failed on it */
  add(module: string, message: Message, error: unknown): void;
}

export const DeadLetters = token<DeadLetters>('core', 'DeadLetters');
