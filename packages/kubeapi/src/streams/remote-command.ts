import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { SpdyClient } from './spdy-client.js';

/** Streams that a caller wants of a command. */
export interface CommandStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

const CHANNELS = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4 } as const;
/** Its one byte names the channel that has ended. */
const CLOSE_CHANNEL = 255;
const TO_NODE: readonly number[] = [CHANNELS.stdin, CHANNELS.resize];

/** A caller that does not read is not read for either. Bytes. */
const UNREAD_BYTES = 1024 * 1024;

/**
 * Passes a command's streams between a WebSocket with the channels of v5 and a SPDY connection to the one who runs it, after the
 * upgrade of both: what ends there ends here. Channels: 0 stdin, 1 stdout, 2 stderr, 3 how it ended, 4 sizes of the terminal, 255 the
 * end of one.
 */
export function bridgeCommand(webSocket: WebSocket, connection: Duplex, { stdin, stdout, stderr, tty }: CommandStreams): void {
  let toldHow = false;
  let close: (() => void) | undefined;
  const spdy = new SpdyClient({
    connection,
    onData: (stream, bytes) => {
      const channel = channelOf.get(stream);
      if (channel === CHANNELS.error && bytes.length > 0) toldHow = true;
      if (channel !== undefined && bytes.length > 0) say(channel, bytes);
    },
    // Done with, or refused: what the command says of its end tells.
    onReset: () => undefined,
    onEnd: () => {
      connection.destroy();
      // In the middle of its input the caller would not be heard confirming the end.
      webSocket.resume();
      // Without a word on how it ended, the way to it has broken.
      close = () => webSocket.close(toldHow ? 1000 : 1011, toldHow ? '' : 'the session with the node broke off');
      // A caller has half a minute to confirm, which must not begin before it has been given everything.
      if (webSocket.bufferedAmount === 0) close();
    },
  });
  const streams: [keyof typeof CHANNELS, boolean][] = [['error', true], ['stdin', stdin], ['stdout', stdout], ['stderr', stderr && !tty], ['resize', tty]];
  const streamOf = new Map<number, number>();
  const channelOf = new Map<number, number>();
  for (const [name] of streams.filter(([, isWanted]) => isWanted)) {
    const stream = spdy.open({ streamtype: name });
    streamOf.set(CHANNELS[name], stream);
    channelOf.set(stream, CHANNELS[name]);
  }

  const say = (channel: number, bytes: Buffer): void => {
    webSocket.send(Buffer.concat([Buffer.from([channel]), bytes]), { binary: true }, () => {
      if (webSocket.bufferedAmount === 0) close?.();
      if (connection.isPaused() && webSocket.bufferedAmount < UNREAD_BYTES / 2) connection.resume();
    });
    if (webSocket.bufferedAmount > UNREAD_BYTES) connection.pause();
  };
  webSocket.on('message', (message: Buffer) => {
    const rest = message.subarray(1);
    const isEnd = message[0] === CLOSE_CHANNEL;
    const channel = (isEnd ? rest[0] : message[0]) ?? -1;
    const stream = TO_NODE.includes(channel) ? streamOf.get(channel) : undefined;
    if (stream === undefined || connection.destroyed) return;
    if (isEnd) {
      spdy.endStream(stream);
      streamOf.delete(channel);
    } else if (!spdy.write(stream, rest)) webSocket.pause();
  });
  connection.on('drain', () => webSocket.resume());
  webSocket.on('error', () => webSocket.terminate());
  // The first word says that the way is open.
  say(stdout ? CHANNELS.stdout : stderr ? CHANNELS.stderr : CHANNELS.error, Buffer.alloc(0));
  connection.resume();
}
