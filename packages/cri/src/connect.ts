import { Client, credentials, status, type CallOptions, type ClientReadableStream, type ServiceError } from '@grpc/grpc-js';
import { abortError } from '@edge/core';
import { callError, CriError, CriErrors } from './errors.js';
import type { MessageFns } from './generated/api.js';

/** One call of a service, as the generated definitions describe it. */
export interface RpcMethod<Request, Response> {
  readonly name: string;
  readonly requestType: MessageFns<Request>;
  readonly responseType: MessageFns<Response>;
}

export interface CallLimits {
  readonly signal?: AbortSignal | undefined;
  /** Instead of the connection's own; Infinity for none. */
  readonly timeoutMs?: number;
}

const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

/** The longest pause between two tries to connect. Trying costs one system call, and pods wait for the runtime's return. */
const LONGEST_PAUSE_MS = 400;

/**
 * A connection to one socket; the only place that knows gRPC's client. Connects at the first call and again after each
 * loss: calls fail with `runtime.unavailable` while nobody listens, and succeed within half a second after somebody does.
 */
export class CriConnection implements Disposable {
  readonly socket: string;
  readonly #client: Client;
  readonly #timeoutMs: number;
  /** Closing a client of gRPC lets them go on. */
  readonly #underWay = new Set<{ cancel(): void }>();
  #closed = false;

  constructor(options: { readonly socket: string; readonly timeoutMs: number }) {
    this.socket = options.socket;
    this.#timeoutMs = options.timeoutMs;
    this.#client = new Client(`unix://${options.socket}`, credentials.createInsecure(), {
      // The path as authority, the default, is refused by HTTP/2 servers.
      'grpc.default_authority': 'localhost',
      'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
      'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
      'grpc.initial_reconnect_backoff_ms': 50,
      'grpc.max_reconnect_backoff_ms': LONGEST_PAUSE_MS,
      // Two agents in one process do not share fate.
      'grpc.use_local_subchannel_pool': 1,
    });
  }

  /**
   * One request and its answer.
   * @throws CriError see `CriErrors`
   * @throws EdgeError `core.aborted`; the runtime is told to give up
   */
  call<Request, Response>(service: string, method: RpcMethod<Request, Response>, request: Request, limits: CallLimits = {}): Promise<Response> {
    const { signal, timeoutMs = this.#timeoutMs } = limits;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(abortError(signal));
      if (this.#closed) return reject(this.#closedError(method.name));
      const deadline = Date.now() + timeoutMs;
      const abort = (): void => call.cancel();
      const options: CallOptions = timeoutMs === Infinity ? {} : { deadline };
      const call = this.#client.makeUnaryRequest(path(service, method), encode(method.requestType), decode(method.responseType), request, options, (error: ServiceError | null, response?: Response) => {
        signal?.removeEventListener('abort', abort);
        this.#underWay.delete(call);
        if (error) reject(this.#error(error, method.name, signal, timeoutMs, Date.now() >= deadline));
        else resolve(response as Response);
      });
      this.#underWay.add(call);
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /**
   * One request and a stream of answers that ends when the signal aborts, or when the runtime ends it.
   * @throws CriError as `call`
   */
  async *stream<Request, Response>(service: string, method: RpcMethod<Request, Response>, request: Request, signal: AbortSignal): AsyncGenerator<Response> {
    if (signal.aborted) return;
    if (this.#closed) throw this.#closedError(method.name);
    const stream: ClientReadableStream<Response> = this.#client.makeServerStreamRequest(path(service, method), encode(method.requestType), decode(method.responseType), request);
    const abort = (): void => stream.cancel();
    this.#underWay.add(stream);
    signal.addEventListener('abort', abort, { once: true });
    try {
      for await (const message of stream) yield message as Response;
    } catch (error) {
      if (!signal.aborted) throw this.#error(error as ServiceError, method.name, undefined, Infinity, false);
    } finally {
      signal.removeEventListener('abort', abort);
      this.#underWay.delete(stream);
      stream.cancel();
    }
  }

  /** Ends the connection; calls under way fail with `runtime.closed`. */
  [Symbol.dispose](): void {
    this.#closed = true;
    for (const call of this.#underWay) call.cancel();
    this.#client.close();
  }

  #error(error: ServiceError, call: string, signal: AbortSignal | undefined, timeoutMs: number, late: boolean): Error {
    if (signal?.aborted) return abortError(signal);
    if (this.#closed && (error.code === status.CANCELLED || error.code === status.UNAVAILABLE)) return this.#closedError(call);
    return callError(error, { socket: this.socket, call, timeoutMs, late });
  }

  #closedError(call: string): CriError {
    return new CriError(CriErrors.closed, `${call}: the connection to ${this.socket} was closed`, { socket: this.socket, call });
  }
}

function path(service: string, method: { readonly name: string }): string {
  return `/${service}/${method.name}`;
}

function encode<Request>(type: MessageFns<Request>): (request: Request) => Buffer {
  return (request) => {
    const { buffer, byteOffset, byteLength } = type.encode(request).finish();
    return Buffer.from(buffer, byteOffset, byteLength);
  };
}

function decode<Response>(type: MessageFns<Response>): (bytes: Buffer) => Response {
  return (bytes) => type.decode(bytes);
}
