import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import type { WatchChannel } from './watch-channel.js';

/** Nobody has anything to say to a watch. */
const LONGEST_MESSAGE = 4096;
/** A token in the place of a protocol is no protocol, and not to be sent back. */
const TOKEN_PROTOCOL = /^base64url\.bearer\.authorization\.k8s\.io\./;

/** Watches over WebSocket: each event is a text message. */
export class WatchSockets {
  readonly #server = new WebSocketServer({
    noServer: true, perMessageDeflate: false, maxPayload: LONGEST_MESSAGE,
    handleProtocols: (offered) => [...offered].find((name) => !TOKEN_PROTOCOL.test(name)) ?? false,
  });

  /** Completes the handshake and hands over the way to the watcher; a handshake that is none is refused with an HTTP answer. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer, onOpen: (channel: WatchChannel) => void): void {
    this.#server.handleUpgrade(request, socket, head, (webSocket) => onOpen(socketChannel(webSocket, socket)));
  }
}

function socketChannel(webSocket: WebSocket, socket: Duplex): WatchChannel {
  // A broken connection or a message that is too long: it closes by itself.
  webSocket.on('error', () => undefined);
  return {
    get waiting(): number {
      return webSocket.bufferedAmount;
    },
    // Without the newline: messages have ends of their own.
    send: (line) => webSocket.send(line.subarray(0, -1), { binary: false }),
    end: () => webSocket.close(1000),
    destroy: () => webSocket.terminate(),
    onClose: (listener) => void webSocket.on('close', listener),
    onDrain: (listener) => void socket.on('drain', listener),
  };
}
