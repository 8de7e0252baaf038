import { token } from './token.js';
import type { Cell } from './cell.js';

export type ModulePhase = 'waiting' | 'starting' | 'ready' | 'restarting' | 'failed' | 'done';

/** How one module is doing. */
export interface ModuleHealth {
  readonly phase: ModulePhase;
  /** Starts after the first one. */
  readonly restarts: number;
  /** Text of the last crash. */
  readonly lastError?: string;
  /** When the phase began, milliseconds since the epoch. */
  readonly since: number;
}

/** Health of all modules by role. Written by the supervisor alone. */
export type Health = Cell<Readonly<Record<string, ModuleHealth>>>;
export const Health = token<Health>('core', 'Health');
