import { abortError } from '@edge/core';
import { hostPort } from '@edge/protocol';
import { tookTooLong, unreachable } from './failure.js';

const STATUS = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];
const DEADLINE_EXCEEDED = 4;
const UNIMPLEMENTED = 12;

/** Asks a server about its health, see `Reach`. The gRPC library is loaded when the first probe of this kind is made. */
export async function checkGrpcHealth(host: string, port: number, service: string, timeoutMs: number, signal: AbortSignal): Promise<string> {
  const { Client, credentials, Metadata } = await import('@grpc/grpc-js');
  if (signal.aborted) throw abortError(signal);
  const address = hostPort(host, port);
  const client = new Client(address, credentials.createInsecure(), {
    'grpc.primary_user_agent': 'kube-probe/1.32',
    'grpc.enable_http_proxy': 0,
    'grpc.enable_retries': 0,
    'grpc.enable_channelz': 0,
    'grpc.service_config_disable_resolution': 1,
    // Otherwise the connection would be kept for the next one who asks.
    'grpc.use_local_subchannel_pool': 1,
  });
  let onAbort: (() => void) | undefined;
  try {
    return await new Promise<string>((resolve, reject) => {
      const call = client.makeUnaryRequest('/grpc.health.v1.Health/Check', encodeRequest, decodeStatus, service, new Metadata(), { deadline: Date.now() + timeoutMs }, (error, status) => {
        if (!error) resolve(status ?? 'UNKNOWN');
        else if (signal.aborted) reject(abortError(signal));
        else if (error.code === DEADLINE_EXCEEDED) reject(tookTooLong(`timeout: failed to connect service "${address}" within ${timeoutMs / 1000}s or it did not answer: context deadline exceeded`));
        else if (error.code === UNIMPLEMENTED) reject(unreachable(`error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${error.details}`));
        else reject(unreachable(`error: health rpc probe failed: ${error.details}`));
      });
      onAbort = () => call.cancel();
      signal.addEventListener('abort', onAbort, { once: true });
    });
  } finally {
    if (onAbort) signal.removeEventListener('abort', onAbort);
    client.close();
  }
}

/** `HealthCheckRequest { string service = 1; }`. */
export function encodeRequest(service: string): Buffer {
  const text = Buffer.from(service, 'utf8');
  if (text.length === 0) return text;
  return Buffer.concat([Buffer.from([0x0a, ...varint(text.length)]), text]);
}

/** `HealthCheckResponse { ServingStatus status = 1; }`, as the word of the status. Fields that are not known are passed over. */
export function decodeStatus(bytes: Buffer): string {
  let status = 0;
  let at = 0;
  const number = (): number => {
    let value = 0;
    for (let shift = 1; at < bytes.length; shift *= 128) {
      const byte = bytes[at] ?? 0;
      at += 1;
      value += (byte & 0x7f) * shift;
      if (byte < 0x80) break;
    }
    return value;
  };
  while (at < bytes.length) {
    const key = number();
    const wire = key & 7;
    if (wire === 0) {
      const value = number();
      if (key >>> 3 === 1) status = value;
    } else if (wire === 2) {
      // Its length has to be read before it can be passed over.
      const length = number();
      at += length;
    } else {
      at += wire === 1 ? 8 : 4;
    }
  }
  return STATUS[status] ?? String(status);
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}
