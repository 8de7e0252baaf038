import { token } from '../token.js';

/** Values that go with a line, printed as ` key="value"`. Never put secrets here. */
export type LogFields = Record<string, unknown>;

/** Log output of one component. Lines go where the program decides; a component never prints by itself. */
export interface Logger {
  /** Something a person must look at: data or service is affected. */
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  /** Detail for `-v=<level>`; 1 is coarse, 5 is every message. */
  verbose(level: number, message: string, fields?: LogFields): void;
  /** A logger for a part; `name` is what `--vmodule` patterns match. */
  named(name: string): Logger;
}

export const Logger = token<Logger>('core', 'Logger');

/** Says nothing. For tests and for libraries used alone. */
export const silentLogger: Logger = {
  error: () => undefined,
  warn: () => undefined,
  info: () => undefined,
  verbose: () => undefined,
  named: () => silentLogger,
};
