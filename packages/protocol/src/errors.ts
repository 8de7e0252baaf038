/** Something that came over a process boundary is not what the protocol says. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  /** Stable, for programs: `protocol.not-json`, `protocol.envelope`, `protocol.resource`, `protocol.patch`, `protocol.frame`, `protocol.connect`. */
  readonly code: string;

  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
