import type { ServerResponse } from 'node:http';

/** The way to one watcher. */
export interface WatchChannel {
  /** Bytes that wait for the client to read. */
  readonly waiting: number;
  /** One event: a line of JSON, shared with other watchers. */
  send(line: Buffer): void;
  /** Ends in good order, after everything that waits. */
  end(): void;
  /** Cuts the client off. */
  destroy(): void;
  /** Called once, when nothing can be sent any more. */
  onClose(listener: () => void): void;
  /** Called whenever the client has read everything that waited. */
  onDrain(listener: () => void): void;
}

/** Events as lines of an answer that goes on. Sends its head. */
export function responseChannel(response: ServerResponse): WatchChannel {
  response.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-cache, private', 'X-Content-Type-Options': 'nosniff' });
  response.flushHeaders();
  return {
    get waiting(): number {
      return response.writableLength;
    },
    send: (line) => void response.write(line),
    end: () => void response.end(),
    destroy: () => void response.destroy(),
    onClose: (listener) => void response.on('close', listener),
    onDrain: (listener) => void response.on('drain', listener),
  };
}
