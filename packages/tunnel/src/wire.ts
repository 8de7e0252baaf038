/** What a wire tells its owner. */
export interface WireEvents {
  /** One message, text or binary alike. */
  frame(bytes: Buffer): void;
  /** Last event. `reason` is for people. */
  closed(reason: string): void;
}

/** What carries the frames of one tunnel: an open WebSocket. */
export interface Wire {
  /** Starts the events; what came before is delivered first. */
  listen(events: WireEvents): void;
  /** Sends one message; `done` is called when it has left, or with an error when it never will. */
  send(bytes: Uint8Array, done: (error?: Error) => void): void;
  /** Asks for a sign of life. */
  ping(): void;
  /** Takes nothing more from the network until `resume`. */
  pause(): void;
  resume(): void;
  /** Bytes received so far; grows in the middle of a message too. */
  readonly bytesReceived: number;
  /** Says goodbye, and cuts the connection when that takes longer than a moment. */
  close(): void;
  /** Cuts the connection at once. */
  terminate(): void;
}
