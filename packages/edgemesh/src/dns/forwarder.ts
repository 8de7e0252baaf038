import type { AnswerCache } from './answer-cache.js';
import { askUpstream, type Asked } from './ask-upstream.js';
import type { UpstreamServers } from './upstream-servers.js';
import { aged } from './wire/scan-answer.js';
import { lowerCase } from './wire/names.js';
import { Rcodes, type Query } from './wire/types.js';

/** Milliseconds for one server, and for all tries of one question: glibc asks again after 5 s. */
const TRY_MS = 1500;
const ALL_MS = 4500;
const ROUNDS = 2;
/** Questions that are out at the same time; each has a socket. */
const MOST_OUT = 512;

/** Names elsewhere: from the cache, or from the servers upstream, one after the other; what has run out when none answers. [edgemesh-5] */
export class Forwarder {
  readonly #servers: UpstreamServers;
  readonly #cache: AnswerCache;
  readonly #tryMs: number;
  readonly #running = new Map<string, Promise<Asked | undefined>>();

  constructor(deps: { servers: UpstreamServers; cache: AnswerCache; tryMs?: number }) {
    this.#servers = deps.servers;
    this.#cache = deps.cache;
    this.#tryMs = deps.tryMs ?? TRY_MS;
  }

  /** Questions that are out. */
  get out(): number {
    return this.#running.size;
  }

  /** At once, if it is known. */
  known(query: Query): Buffer | undefined {
    return withQuestion(this.#cache.get(keyOf(query), query.id), query);
  }

  /**
   * Who asks for the same at the same time shares one answer.
   * @returns undefined when nobody answered, or too many questions are out
   */
  async ask(query: Query, isTcp: boolean, signal: AbortSignal): Promise<Buffer | undefined> {
    const key = keyOf(query);
    const id = `${key}${isTcp ? ' tcp' : ''}`;
    let running = this.#running.get(id);
    if (running === undefined) {
      if (this.#running.size >= MOST_OUT) return undefined;
      running = this.#ask(query, key, isTcp, signal).finally(() => this.#running.delete(id));
      this.#running.set(id, running);
    }
    const asked = await running;
    const bytes = asked === undefined ? this.#cache.getStale(key, query.id) : aged(asked.bytes, [], query.id, 0);
    return withQuestion(bytes, query);
  }

  async #ask({ question, checkingDisabled, edns }: Query, key: string, isTcp: boolean, signal: AbortSignal): Promise<Asked | undefined> {
    const ask = { question, checkingDisabled, edns, isTcp };
    const until = performance.now() + ALL_MS;
    let refused: Asked | undefined;
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const server of await this.#servers.list()) {
        const left = until - performance.now();
        if (left <= 0 || signal.aborted) return refused;
        const asked = await askUpstream(server, ask, Math.min(this.#tryMs, left), signal);
        const isGood = asked !== undefined && asked.scanned.rcode !== Rcodes.servFail && asked.scanned.rcode !== Rcodes.refused;
        if (!signal.aborted) this.#servers.report(server, isGood);
        if (isGood) {
          this.#cache.set(key, asked.bytes, asked.scanned);
          return asked;
        }
        refused ??= asked;
      }
      if (refused !== undefined) return refused;
    }
    return refused;
  }
}

/** The question as this one wrote it: letters may differ in case from those of who asked first. */
function withQuestion(bytes: Buffer | undefined, { question }: Query): Buffer | undefined {
  if (bytes !== undefined) question.copy(bytes, 12);
  return bytes;
}

function keyOf({ question, checkingDisabled, edns }: Query): string {
  const name = question.toString('latin1', 0, question.length - 4);
  return `${lowerCase(name)}${question.toString('latin1', question.length - 4)}${checkingDisabled ? 'c' : ''}${edns === undefined ? '' : edns.wantsDnssec ? 'd' : 'e'}`;
}
