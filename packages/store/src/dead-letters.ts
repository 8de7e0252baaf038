import { type DeadLetters, errorCode, errorText, type Logger, silentLogger, type Store, type Table, type TableSpec } from '@edge/core';
import { encodeMessage, type Message } from '@edge/protocol';

/** A message that nobody could handle. */
export interface DeadLetterRow {
  /** Grows with time. */
  id: number;
  /** Milliseconds since the epoch. */
  at: number;
  /** Wire name of the module that failed on it. */
  module: string;
  resource: string;
  operation: string;
  error_code: string;
  error: string;
  /** The envelope as JSON text; cut at `LONGEST_MESSAGE` characters. */
  message: string;
  /** Length of the whole envelope in characters. */
  size: number;
}

export const deadLetterTable: TableSpec<DeadLetterRow> = {
  name: 'edge_dead_letter',
  columns: {
    id: 'integer',
    at: 'integer',
    module: 'text',
    resource: 'text',
    operation: 'text',
    error_code: 'text',
    error: 'text',
    message: 'text',
    size: 'integer',
  },
  key: ['id'],
  autoIncrement: true,
};

const LONGEST_MESSAGE = 256 * 1024;
const LONGEST_ERROR = 4 * 1024;

export interface DeadLetterOptions {
  readonly log?: Logger;
  readonly now?: () => number;
  /** The newest so many are kept. Default 10 000. */
  readonly limit?: number;
}

/** Dead letters in table `edge_dead_letter`. A letter that cannot be written is logged and given up. */
export function deadLetters(store: Store, options: DeadLetterOptions = {}): DeadLetters {
  return new StoredDeadLetters(store, options);
}

class StoredDeadLetters implements DeadLetters {
  readonly #store: Store;
  readonly #table: Table<DeadLetterRow>;
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #limit: number;
  /** Rows in the table; spares counting them for each letter. */
  #count: number;

  constructor(store: Store, options: DeadLetterOptions) {
    this.#store = store;
    this.#table = store.table(deadLetterTable);
    this.#log = options.log ?? silentLogger;
    this.#now = options.now ?? Date.now;
    this.#limit = options.limit ?? 10_000;
    this.#count = this.#table.count();
  }

  add(module: string, message: Message, error: unknown): void {
    const row = describe(module, message, error, this.#now());
    this.#store
      .commit(() => {
        this.#table.put(row);
        this.#trim();
      })
      // The port has no way to tell its caller, whose lane must go on in any case.
      .catch((failure: unknown) => {
        this.#count = this.#table.count();
        this.#log.error('dead letter lost', { module, resource: row.resource, err: errorText(failure) });
      });
  }

  #trim(): void {
    const excess = ++this.#count - this.#limit;
    if (excess <= 0) return;
    const oldest = this.#table.all({}, { limit: excess });
    this.#count -= this.#table.remove({ id: oldest.map((row) => row.id) });
  }
}

function describe(module: string, message: Message, error: unknown, at: number): DeadLetterRow {
  const text = encode(message);
  return {
    id: 0,
    at,
    module,
    resource: message.route.resource,
    operation: message.route.operation,
    error_code: errorCode(error),
    error: errorText(error).slice(0, LONGEST_ERROR),
    message: text.slice(0, LONGEST_MESSAGE),
    size: text.length,
  };
}

/** Content that came from inside the agent may not be JSON at all. */
function encode(message: Message): string {
  try {
    return encodeMessage(message);
  } catch {
    return encodeMessage({ ...message, content: null });
  }
}
