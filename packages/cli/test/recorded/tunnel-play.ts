import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { decodeFrame, FrameTypes } from '@edge/protocol';
import { WebSocketServer, type WebSocket } from 'ws';
import { eventually } from '../support/agent.js';

interface RecordedFrame {
  readonly fromCloud: boolean;
  readonly bytes: Buffer;
  readonly id: number;
  readonly type: number;
  readonly data: Buffer;
}

/** What passed the tunnel between CloudCore and the Go EdgeCore in recording 02, some of the repeated ends left out. */
export const recordedFrames: readonly RecordedFrame[] = readFileSync(new URL('../fixtures/captures/02-tunnel.jsonl', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line) as { dir?: string; base64?: string })
  .flatMap(({ dir, base64 }) => {
    if (base64 === undefined) return [];
    const bytes = Buffer.from(base64, 'base64');
    const { id, type, data } = decodeFrame(bytes);
    return [{ fromCloud: dir === 'cloud->edge', bytes, id, type, data: Buffer.from(data) }];
  });

/** All that the node said in a recorded session. */
export const recordedAnswer = (id: number): Buffer => Buffer.concat(recordedFrames.filter((frame) => frame.id === id && !frame.fromCloud).map(({ data }) => data));

/** CloudCore's end of the tunnel, as far as the recording goes. */
export interface TunnelPlay extends AsyncDisposable {
  readonly port: number;
  /** Headers of the handshakes so far. */
  readonly handshakes: readonly IncomingHttpHeaders[];
  /** Sends what the cloud sent in a session, each frame when the node has said as much as it had said before it; resolves with all that it says. */
  session(id: number): Promise<Buffer>;
  /** How often the node ended the session. */
  ends(id: number): number;
}

/** Serves with the certificate that a cloud keeps in its folder. */
export async function playTunnel(cloudFolder: string): Promise<TunnelPlay> {
  const pki = join(cloudFolder, 'pki');
  const server = createServer({ ...serverCertificate(pki), ca: readFileSync(join(pki, 'ca.crt')), requestCert: true, rejectUnauthorized: true });
  const tcp = new Set<Socket>();
  server.on('connection', (socket: Socket) => void tcp.add(socket.once('close', () => tcp.delete(socket))));
  const sockets = new WebSocketServer({ server, path: '/v1/kubeedge/connect', perMessageDeflate: false, skipUTF8Validation: true });
  const handshakes: IncomingHttpHeaders[] = [];
  const heard: { readonly id: number; readonly type: number; readonly data: Buffer }[] = [];
  let tunnel: WebSocket | undefined;
  sockets.on('connection', (socket, request) => {
    tunnel = socket;
    handshakes.push(request.headers);
    socket.on('error', () => undefined);
    socket.on('message', (bytes: Buffer, isBinary) => {
      if (isBinary) throw new Error('CloudCore ends the tunnel at a binary message');
      const { id, type, data } = decodeFrame(bytes);
      heard.push({ id, type, data: Buffer.from(data) });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const answer = (id: number): Buffer => Buffer.concat(heard.filter((frame) => frame.id === id).map(({ data }) => data));
  const ends = (id: number): number => heard.filter((frame) => frame.id === id && frame.type === FrameTypes.removeConnect).length;
  return {
    port: (server.address() as AddressInfo).port,
    handshakes, ends,
    session: async (id) => {
      await eventually(() => tunnel !== undefined, 90_000, () => 'no tunnel');
      let said = 0;
      for (const frame of recordedFrames.filter((one) => one.id === id)) {
        if (!frame.fromCloud) {
          said += frame.data.length;
          if (frame.type === FrameTypes.removeConnect) await eventually(() => ends(id) > 0, 90_000, () => `session ${id} has no end`);
          continue;
        }
        const wanted = said;
        await eventually(() => answer(id).length >= wanted, 90_000, () => `session ${id}: ${answer(id).length} of ${wanted} bytes came: ${answer(id).toString('latin1')}`);
        tunnel?.send(frame.bytes, { binary: false });
      }
      return answer(id);
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of tcp) socket.destroy();
      sockets.close();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function serverCertificate(pki: string): { cert: Buffer; key: Buffer } {
  const name = readdirSync(pki).find((file) => /^server-.*\.crt$/.test(file)) ?? '';
  return { cert: readFileSync(join(pki, name)), key: readFileSync(join(pki, name.replace(/crt$/, 'key'))) };
}

/** What a SPDY/3.1 session says, without the order between its streams, which is the runtime's to choose. */
export interface SpdyWords {
  /** The head of the answer that began it. */
  readonly head: string;
  /** Bytes of each stream, and whether it was ended. */
  readonly streams: Readonly<Record<number, { readonly bytes: string; readonly ended: boolean }>>;
  /** All other frames as hexadecimal digits: answers to new streams, resets, goodbye. */
  readonly control: readonly string[];
}

/** Takes apart what the node said from its answer's head on. */
export function spdyWords(answer: Buffer): SpdyWords {
  const headEnd = answer.indexOf('\r\n\r\n') + 4;
  const streams: Record<number, { bytes: string; ended: boolean }> = {};
  const control: string[] = [];
  for (let at = headEnd; at + 8 <= answer.length; ) {
    const first = answer.readUInt32BE(at);
    const length = answer.readUIntBE(at + 5, 3);
    const frame = answer.subarray(at, at + 8 + length);
    if (first >= 2 ** 31) control.push(frame.toString('hex'));
    else {
      const stream = (streams[first] ??= { bytes: '', ended: false });
      stream.bytes += frame.toString('latin1', 8);
      stream.ended ||= ((frame[4] ?? 0) & 1) === 1;
    }
    at += frame.length;
  }
  return { head: answer.toString('latin1', 0, headEnd), streams, control: control.sort() };
}
