import { WebSocket, type RawData } from 'ws';

/** What crossed the WebSockets of this process, counted as the application sees it: no frames, no TLS. */
export interface Payload {
  fromNodeBytes: number;
  fromNodeMessages: number;
  toNodeBytes: number;
  toNodeMessages: number;
  /** Bytes of pings and pongs, both ways. */
  controlBytes: number;
  /** Bytes by type of resource, both ways. */
  readonly byType: Record<string, number>;
}

/** Counts from now on, by listening in on the library: the cloud has no counters of its own. */
export function countPayload(): Payload {
  const payload: Payload = { fromNodeBytes: 0, fromNodeMessages: 0, toNodeBytes: 0, toNodeMessages: 0, controlBytes: 0, byType: {} };
  const count = (data: RawData | string): number => {
    const bytes = length(data);
    const type = resourceType(String(data));
    payload.byType[type] = (payload.byType[type] ?? 0) + bytes;
    return bytes;
  };
  const { emit, send, ping } = WebSocket.prototype;
  WebSocket.prototype.emit = function (this: WebSocket, event: string, ...args: unknown[]): boolean {
    if (event === 'message') {
      payload.fromNodeMessages += 1;
      payload.fromNodeBytes += count(args[0] as RawData);
    }
    // A ping that came is answered with the same bytes.
    if (event === 'ping') payload.controlBytes += 2 * length(args[0] as Buffer);
    if (event === 'pong') payload.controlBytes += length(args[0] as Buffer);
    return (emit as (event: string, ...rest: unknown[]) => boolean).call(this, event, ...args);
  };
  WebSocket.prototype.send = function (this: WebSocket, ...args: unknown[]): void {
    payload.toNodeMessages += 1;
    payload.toNodeBytes += count(args[0] as RawData | string);
    (send as (...rest: unknown[]) => void).apply(this, args);
  };
  WebSocket.prototype.ping = function (this: WebSocket, ...args: unknown[]): void {
    payload.controlBytes += length((args[0] ?? '') as Buffer | string);
    (ping as (...rest: unknown[]) => void).apply(this, args);
  };
  return payload;
}

/** `lease` of `kube-node-lease/lease/edge-1`; of a keepalive its operation. */
function resourceType(frame: string): string {
  const { operation, resource } = (JSON.parse(frame) as { route: { operation: string; resource: string } }).route;
  return resource.split('/').at(-2) ?? operation;
}

function length(data: RawData | string): number {
  if (typeof data === 'string') return Buffer.byteLength(data);
  return Array.isArray(data) ? data.reduce((sum, part) => sum + part.length, 0) : data.byteLength;
}
