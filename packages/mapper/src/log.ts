/** Where a mapper's log lines go: what a person should know, once per fault. */
export interface Log {
  error(message: string): void;
  warn(message: string): void;
  info(message: string): void;
}

/** Lines on the standard error output, with time and level. */
export const stderrLog: Log = {
  error: (message) => line('E', message),
  warn: (message) => line('W', message),
  info: (message) => line('I', message),
};

export const silentLog: Log = { error: () => undefined, warn: () => undefined, info: () => undefined };

function line(level: string, message: string): void {
  process.stderr.write(`${level} ${new Date().toISOString()} ${message}\n`);
}

/**
 * Says a thing once until it changes, so that a fault that lasts does not fill the log: `say` with the same text is
 * silent, `clear` ends the fault and tells whether there was one.
 */
export class Once {
  readonly #said = new Map<string, string>();

  /** True when `text` is news for `subject`. */
  say(subject: string, text: string): boolean {
    if (this.#said.get(subject) === text) return false;
    this.#said.set(subject, text);
    return true;
  }

  clear(subject: string): boolean {
    return this.#said.delete(subject);
  }
}
