import { errorText, type Complaints, type Logger, type MessageBus } from '@edge/core';
import type { ConnectRequest } from '@edge/protocol';
import type { SessionKind, TunnelSession } from '@edge/tunnel';
import { findKubelet } from './kubelet-endpoint.js';
import { badGateway, relayBytes } from './relay-bytes.js';
import { streamAnswer } from './stream-answer.js';

/** Sessions at the same time; as many connections as the kubelet API takes. */
const MAX_SESSIONS = 1024;

export interface SessionsDeps {
  readonly bus: MessageBus;
  readonly log: Logger;
  readonly complaints: Complaints;
}

/** Serves what the cloud asks of the node's kubelet API. Each session succeeds or fails alone. */
export class Sessions {
  readonly #deps: SessionsDeps;
  #open = 0;

  constructor(deps: SessionsDeps) {
    this.#deps = deps;
  }

  /** Serves a session to its end. Never rejects. */
  async serve(session: TunnelSession, kind: SessionKind, request: ConnectRequest): Promise<void> {
    const { log } = this.#deps;
    const raw = kind === 'exec' || kind === 'attach';
    if (this.#open >= MAX_SESSIONS) return refuse(session, raw, `this node has ${MAX_SESSIONS} sessions already`);
    this.#open += 1;
    const gone = new AbortController();
    session.once('over', () => gone.abort());
    session.once('close', () => gone.abort());
    // Neither query nor headers: commands and tokens are nobody's business.
    log.verbose(3, 'a session began', { id: request.id, kind, path: request.path });
    try {
      const kubelet = await findKubelet(this.#deps.bus, gone.signal);
      if (raw) await relayBytes(session, request, kubelet);
      else await streamAnswer(session, request, kubelet, kind === 'metrics');
    } catch (error) {
      if (!gone.signal.aborted) this.#failed(session, raw, errorText(error));
    } finally {
      this.#open -= 1;
      session.end();
      log.verbose(3, 'a session ended', { id: request.id });
    }
  }

  #failed(session: TunnelSession, raw: boolean, why: string): void {
    if (this.#deps.complaints.passes(why)) this.#deps.log.warn('a session could not be served', { why });
    refuse(session, raw, why);
  }
}

function refuse(session: TunnelSession, raw: boolean, why: string): void {
  session.end(raw ? badGateway(why) : `${why}\n`);
}
