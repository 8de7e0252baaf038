/** An HTTP GET as probes and hooks make it. */
export interface HttpCall {
  readonly url: string;
  /** In order; a name may stand several times. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

export interface HttpAnswer {
  readonly status: number;
  /** At most 10 KiB of it. */
  readonly body: string;
}

/**
 * Ways from the node to a pod's addresses. All end when the signal aborts, and throw `EdgeError` with a text that tells
 * people what went wrong: `edged.unreachable`; `edged.probe-timeout` when it took longer than it may.
 */
export interface Reach {
  /** Follows redirects on the same host alone; one that leads elsewhere is the answer. No certificate is checked. */
  http(call: HttpCall, timeoutMs: number | undefined, signal: AbortSignal): Promise<HttpAnswer>;
  /** Connects and hangs up. */
  tcp(host: string, port: number, timeoutMs: number | undefined, signal: AbortSignal): Promise<void>;
  /** Asks `grpc.health.v1.Health/Check`; returns the word that it answers, `SERVING` or another. */
  grpc(host: string, port: number, service: string, timeoutMs: number, signal: AbortSignal): Promise<string>;
}
