import { EdgeError, sleep } from '@edge/core';

/** A connection to a pretended pod, as probes and hooks make them. */
export interface MemoryCall {
  readonly kind: 'http' | 'tcp' | 'grpc';
  readonly host: string;
  readonly port: number;
  /** Of `http`: what is asked for, `/healthz?full=1`. */
  readonly path?: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  /** Of `grpc`. */
  readonly service?: string;
}

/** What comes back; success unless it says otherwise. */
export interface MemoryAnswer {
  readonly refused?: boolean;
  /** No answer, ever: it is the caller who loses patience. */
  readonly silent?: boolean;
  /** Of `http`. */
  readonly status?: number;
  readonly body?: string;
  /** Of `grpc`: `SERVING` or another word. */
  readonly word?: string;
}

/**
 * The way to the addresses of pretended pods, in the form that edged's probes and hooks use. Every port of every pod
 * answers with success unless `answer` says otherwise.
 */
export class MemoryReach {
  /** What each call is answered with. May be changed at any time. */
  answer: (call: MemoryCall) => MemoryAnswer = () => ({});
  /** All calls so far. */
  readonly calls: MemoryCall[] = [];

  async http(call: { url: string; headers: MemoryCall['headers'] }, timeoutMs: number | undefined, signal: AbortSignal): Promise<{ status: number; body: string }> {
    const url = new URL(call.url);
    const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
    const answer = await this.#ask({ kind: 'http', host: url.hostname, port, path: url.pathname + url.search, headers: call.headers ?? [] }, timeoutMs, signal);
    return { status: answer.status ?? 200, body: answer.body ?? '' };
  }

  async tcp(host: string, port: number, timeoutMs: number | undefined, signal: AbortSignal): Promise<void> {
    await this.#ask({ kind: 'tcp', host, port }, timeoutMs, signal);
  }

  async grpc(host: string, port: number, service: string, timeoutMs: number, signal: AbortSignal): Promise<string> {
    return (await this.#ask({ kind: 'grpc', host, port, service }, timeoutMs, signal)).word ?? 'SERVING';
  }

  async #ask(call: MemoryCall, timeoutMs = Infinity, signal: AbortSignal): Promise<MemoryAnswer> {
    this.calls.push(call);
    const answer = this.answer(call);
    if (answer.refused) throw new EdgeError('edged.unreachable', `dial tcp ${call.host}:${call.port}: connect: connection refused`);
    if (!answer.silent) return answer;
    await sleep(timeoutMs, signal);
    throw new EdgeError('edged.probe-timeout', `dial tcp ${call.host}:${call.port}: i/o timeout`);
  }
}
