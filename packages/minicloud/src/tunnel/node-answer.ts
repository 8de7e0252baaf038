import { request as httpRequest, type IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import type { TunnelSession } from '@edge/tunnel';

/**
 * Reads the answer of the node's kubelet API from a session that passes bytes as they are. The node writes the request
 * itself, so what the HTTP client writes goes nowhere.
 * @throws what breaks the session, before the answer's head has come
 */
export function readAnswer(session: TunnelSession, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asked = httpRequest({ createConnection: () => answerSide(session), signal });
    asked.once('response', resolve);
    asked.once('upgrade', () => reject(new Error('the node offers an upgrade where an answer was asked for')));
    // Stays: one that comes after the head, or a second one, would end the process.
    asked.on('error', reject);
    asked.once('close', () => session.destroy());
    asked.end();
  });
}

function answerSide(session: TunnelSession): Duplex {
  const side = new Duplex({
    read: () => void session.resume(),
    write: (_bytes, _encoding, done) => done(),
    destroy: (error, done) => {
      session.destroy();
      done(error);
    },
  });
  session.on('data', (bytes: Buffer) => {
    if (!side.push(bytes)) session.pause();
  });
  session.once('end', () => side.push(null));
  session.once('error', (error) => side.destroy(error));
  session.once('close', () => {
    if (!side.readableEnded) side.push(null);
  });
  return side;
}
