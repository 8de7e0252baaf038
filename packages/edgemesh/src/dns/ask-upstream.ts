import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Server } from '../config.js';
import { askOverTcp } from './ask-over-tcp.js';
import { scanAnswer, type Scanned } from './wire/scan-answer.js';
import { HEADER } from './wire/read-query.js';
import { OUR_PAYLOAD } from './wire/write-answer.js';
import { Types } from './wire/types.js';

/** One question to one server. */
export interface Ask {
  readonly question: Buffer;
  readonly checkingDisabled: boolean;
  /** Undefined: the asker knows no extensions, so none come back. */
  readonly edns: { readonly wantsDnssec: boolean } | undefined;
  readonly isTcp: boolean;
}

export interface Asked {
  readonly bytes: Buffer;
  readonly scanned: Scanned;
}

/**
 * Asks from a port of its own and under a random id (RFC 5452): who wants to answer in the server's place has to guess both. The
 * kernel takes datagrams of that server alone.
 * @returns undefined when no answer came
 */
export async function askUpstream(server: Server, ask: Ask, timeoutMs: number, signal: AbortSignal): Promise<Asked | undefined> {
  const id = randomInt(65_536);
  const bytes = writeAsk(id, ask);
  const read = (answer: Buffer): Asked | undefined => {
    const scanned = scanAnswer(answer, id, ask.question);
    return scanned === undefined ? undefined : { bytes: answer, scanned };
  };
  return ask.isTcp ? askOverTcp(server, bytes, timeoutMs, signal, read) : askOverUdp(server, bytes, timeoutMs, signal, read);
}

function askOverUdp(server: Server, bytes: Buffer, timeoutMs: number, signal: AbortSignal, read: (answer: Buffer) => Asked | undefined): Promise<Asked | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(server.address) ? 'udp6' : 'udp4');
    let isDone = false;
    const done = (asked?: Asked): void => {
      if (isDone) return;
      isDone = true;
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
      socket.close();
      resolve(asked);
    };
    const giveUp = (): void => done();
    const timer = setTimeout(giveUp, timeoutMs);
    signal.addEventListener('abort', giveUp, { once: true });
    // Nobody listens there, or there is no way.
    socket.on('error', giveUp);
    socket.on('message', (answer) => {
      const asked = read(answer);
      // What is not the answer to this is somebody else's, or a guess: the true one may still come.
      if (asked !== undefined) done(asked);
    });
    // Without a way there the callback is told, and no event comes.
    socket.connect(server.port, server.address, (refused?: Error) => {
      if (refused) done();
      if (!isDone) socket.send(bytes, (error) => void (error && done()));
    });
    if (signal.aborted) done();
  });
}

function writeAsk(id: number, { question, checkingDisabled, edns }: Ask): Buffer {
  const bytes = Buffer.alloc(HEADER + question.length + (edns === undefined ? 0 : 11));
  bytes.writeUInt16BE(id, 0);
  bytes.writeUInt16BE(0x0100 | (checkingDisabled ? 0x0010 : 0), 2);
  bytes.writeUInt16BE(1, 4);
  const end = HEADER + question.copy(bytes, HEADER);
  if (edns !== undefined) {
    bytes.writeUInt16BE(1, 10);
    bytes.writeUInt16BE(Types.OPT, end + 1);
    bytes.writeUInt16BE(OUR_PAYLOAD, end + 3);
    bytes.writeUInt16BE(edns.wantsDnssec ? 0x8000 : 0, end + 7);
  }
  return bytes;
}
