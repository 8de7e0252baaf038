import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { bridgeCommand, type CommandStreams } from './remote-command.js';
import { readUpgrade } from './upgrade-answer.js';
import { acceptWebSocket, asStream, offeredProtocols } from './web-sockets.js';

export interface BridgeInput {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** What the client sent right behind its request. */
  readonly head: Buffer;
  /** Streams of a command, or `ports` for a port-forward. */
  readonly wanted: CommandStreams | 'ports';
  /**
   * Asks the kubelet for an upgrade with a POST and these headers. The connection gives the answer from its first byte on.
   * @param headers names in Go's spelling
   */
  readonly ask: (headers: Readonly<Record<string, string>>) => Duplex | Promise<Duplex>;
}

const COMMAND = 'v5.channel.k8s.io';
const PORTS = 'portforward.k8s.io';
/** The best that container runtimes speak over SPDY; what v5 has more, the end of stdin, SPDY has itself. */
const NODE_COMMAND = 'v4.channel.k8s.io';

/** Whether a client wants what only this bridge gives it: runtimes know neither the channels of v5 nor SPDY within WebSocket. */
export function needsBridge(request: IncomingMessage): boolean {
  const offered = offeredProtocols(request);
  return offered.includes(COMMAND) || offered.includes(`SPDY/3.1+${PORTS}`);
}

/**
 * Serves exec, attach and port-forward to newer clients over WebSocket, while the node is spoken to in SPDY/3.1 as API servers do it.
 * Resolves when the session has begun.
 * @throws ApiError when the node refuses, before anything has been answered
 */
export async function bridgeWebSocket({ request, socket, head, wanted, ask }: BridgeInput): Promise<void> {
  const connection = await ask({ Connection: 'Upgrade', 'Content-Length': '0', Upgrade: 'SPDY/3.1', 'X-Stream-Protocol-Version': wanted === 'ports' ? PORTS : NODE_COMMAND });
  const leave = (): void => void connection.destroy();
  // Who goes away before the node has answered must not leave a session behind that waits for it.
  socket.once('close', leave).once('end', leave);
  if (socket.destroyed || socket.readableEnded) leave();
  await readUpgrade(connection);
  socket.off('end', leave);
  connection.on('error', leave);
  if (socket.destroyed) return leave();
  acceptWebSocket(request, socket, head, wanted === 'ports' ? `SPDY/3.1+${PORTS}` : COMMAND, (webSocket) => {
    if (wanted === 'ports') passBytes(asStream(webSocket), connection);
    else bridgeCommand(webSocket, connection, wanted);
  });
}

/** Either end, or a break, ends both. */
function passBytes(client: Duplex, connection: Duplex): void {
  void Promise.allSettled([pipeline(connection, client), pipeline(client, connection)]);
}
