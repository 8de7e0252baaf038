import { Client, connectivityState, credentials, status, type ServiceError } from '@grpc/grpc-js';
import { abortError } from '@edge/core';
import { DeviceMapperServiceDefinition } from '@edge/protocol/dmi';

type Methods = typeof DeviceMapperServiceDefinition.methods;
type RequestOf<Name extends keyof Methods> = Methods[Name]['requestType'] extends Codec<infer Request> ? Request : never;

interface Codec<T> {
  encode(value: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}

/**
 * What came of a call. `refused`: the mapper answered with an error. `lost`: no answer, and it may have had its effect.
 */
export type CallOutcome = { readonly kind: 'done' } | { readonly kind: 'refused' | 'lost'; readonly code: status; readonly reason: string };

/** Codes that gRPC gives when nobody on the other side has answered. */
const NO_ANSWER = new Set<status>([status.UNAVAILABLE, status.DEADLINE_EXCEEDED, status.CANCELLED, status.RESOURCE_EXHAUSTED]);
/** The longest pause between two tries to connect; a try costs one system call. */
const LONGEST_PAUSE_MS = 1000;
const NEVER_IDLE_MS = 2 ** 31 - 1;

/** A lasting connection to the socket of one mapper; the only place that knows gRPC's client. */
export class MapperConnection implements Disposable {
  readonly socket: string;
  readonly #client: Client;
  readonly #timeoutMs: number;

  constructor(options: { readonly socket: string; readonly timeoutMs: number }) {
    this.socket = options.socket;
    this.#timeoutMs = options.timeoutMs;
    this.#client = new Client(`unix:${options.socket}`, credentials.createInsecure(), {
      // The path as authority, the default, is refused by HTTP/2 servers of Node.js.
      'grpc.default_authority': 'localhost',
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': LONGEST_PAUSE_MS,
      'grpc.client_idle_timeout_ms': NEVER_IDLE_MS,
      // Two agents in one process do not share fate.
      'grpc.use_local_subchannel_pool': 1,
    });
  }

  /** Calls back when the connection comes to stand or breaks, until the signal aborts. Keeps on connecting. */
  async follow(changed: (connected: boolean) => void, signal: AbortSignal): Promise<void> {
    const channel = this.#client.getChannel();
    let connected = false;
    while (!signal.aborted) {
      const state = channel.getConnectivityState(true);
      const now = state === connectivityState.READY;
      if (now !== connected) changed((connected = now));
      await new Promise<void>((resolve) => {
        const stop = (): void => resolve();
        signal.addEventListener('abort', stop, { once: true });
        channel.watchConnectivityState(state, Infinity, () => {
          signal.removeEventListener('abort', stop);
          resolve();
        });
      });
    }
  }

  /**
   * One call. Never throws but for an abort, which tells the mapper to give up.
   * @throws EdgeError `core.aborted`
   */
  call<Name extends keyof Methods>(name: Name, request: RequestOf<Name>, signal: AbortSignal): Promise<CallOutcome> {
    const { requestType, responseType, name: wireName } = DeviceMapperServiceDefinition.methods[name];
    const path = `/${DeviceMapperServiceDefinition.fullName}/${wireName}`;
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(abortError(signal));
      const abort = (): void => call.cancel();
      const call = this.#client.makeUnaryRequest(
        path,
        (value: RequestOf<Name>) => Buffer.from((requestType as unknown as Codec<RequestOf<Name>>).encode(value).finish()),
        (bytes: Buffer): unknown => responseType.decode(bytes),
        request,
        { deadline: Date.now() + this.#timeoutMs },
        (error: ServiceError | null) => {
          signal.removeEventListener('abort', abort);
          if (signal.aborted) reject(abortError(signal));
          else resolve(error ? outcome(error) : { kind: 'done' });
        },
      );
      signal.addEventListener('abort', abort, { once: true });
    });
  }

  /** Ends the connection. */
  [Symbol.dispose](): void {
    this.#client.close();
  }
}

function outcome(error: ServiceError): CallOutcome {
  return { kind: NO_ANSWER.has(error.code) ? 'lost' : 'refused', code: error.code, reason: error.details };
}
