/** What a handler answers a request with. */
export type ApiAnswer = ContentAnswer | RelayAnswer;

export interface ContentAnswer {
  /** 200 unless given. */
  readonly status?: number;
  /** Media type, plain text unless given. */
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Pieces are sent as they come; a failure after the first one cuts the connection, so that nobody takes half for the whole. */
  readonly body: string | Uint8Array | AsyncIterable<Uint8Array>;
}

/** The connection is handed on to another server: the client's request goes there as it is. */
export interface RelayAnswer {
  readonly relayTo: string;
}

/** Answers with something else than success: thrown by handlers. */
export class ApiFault extends Error {
  override readonly name: string = 'ApiFault';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export function json(value: unknown): ContentAnswer {
  return { type: 'application/json', body: JSON.stringify(value) };
}

export function text(body: string, status = 200): ContentAnswer {
  return { status, body };
}

/** Text that Prometheus reads. */
export function metricsText(body: string): ContentAnswer {
  return { type: 'text/plain; version=0.0.4; charset=utf-8', body };
}
