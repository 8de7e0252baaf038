import { abortError } from '@edge/core';
import { edgedError } from '../../errors.js';
import { decode, encode, type Fields, type Schema } from './wire.js';

/** As upstream: a driver may have to format a disk. */
const PATIENCE_MS = 120_000;

export interface Call {
  /** `/csi.v1.Node/NodeStageVolume`. */
  readonly method: string;
  readonly request: Schema;
  readonly answer: Schema;
}

/**
 * Calls a service on a unix socket, over a connection of its own: calls are rare. The gRPC library is loaded with the first.
 * @throws EdgeError `edged.csi` with what the service said
 */
export async function callSocket(socket: string, call: Call, message: Fields, signal: AbortSignal): Promise<Fields> {
  const { Client, credentials, Metadata, status } = await import('@grpc/grpc-js');
  if (signal.aborted) throw abortError(signal);
  const client = new Client(`unix:${socket}`, credentials.createInsecure(), { 'grpc.default_authority': 'localhost', 'grpc.enable_channelz': 0, 'grpc.use_local_subchannel_pool': 1 });
  let onAbort: (() => void) | undefined;
  try {
    return await new Promise<Fields>((resolve, reject) => {
      const serialize = (value: Fields): Buffer => encode(call.request, value);
      const deserialize = (bytes: Buffer): Fields => decode(call.answer, bytes);
      const pending = client.makeUnaryRequest(call.method, serialize, deserialize, message, new Metadata(), { deadline: Date.now() + PATIENCE_MS }, (error, answer) => {
        if (!error) resolve(answer ?? {});
        else if (signal.aborted) reject(abortError(signal));
        else reject(edgedError('edged.csi', `${call.method.slice(call.method.lastIndexOf('/') + 1)} at ${socket}: ${status[error.code]}: ${error.details}`, error));
      });
      onAbort = () => pending.cancel();
      signal.addEventListener('abort', onAbort, { once: true });
    });
  } finally {
    if (onAbort) signal.removeEventListener('abort', onAbort);
    client.close();
  }
}
