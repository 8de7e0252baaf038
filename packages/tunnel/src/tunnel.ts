import { decodeConnect, decodeFrame, encodeConnect, encodeFrame, FrameTypes, type ConnectRequest, type Frame } from '@edge/protocol';
import { errorText } from '@edge/core';
import { Congestion } from './congestion.js';
import { tunnelError, TunnelErrors } from './errors.js';
import { TunnelSession, type SessionWire } from './session.js';
import type { Wire } from './wire.js';

/** What the node is asked for. */
export type SessionKind = 'logs' | 'exec' | 'metrics' | 'attach';

export interface TunnelDeps {
  readonly wire: Wire;
  /** The other side asks for a session. Without it such a request is refused: that is the cloud's end. */
  readonly onSession?: (session: TunnelSession, kind: SessionKind, request: ConnectRequest) => void;
  /** Something came that is not what the protocol says; the tunnel goes on. */
  readonly onGarbage: (what: string) => void;
  /** Signs of life are asked for so often, milliseconds; never unless given. */
  readonly pingMs?: number;
  /** With neither a byte from the other side nor one taken by it for so long the tunnel ends; `first` until the first byte has come. Milliseconds. */
  readonly silence: { readonly first: number; readonly later: number };
}

const KIND_OF: Readonly<Record<number, SessionKind>> = {
  [FrameTypes.logsConnect]: 'logs',
  [FrameTypes.execConnect]: 'exec',
  [FrameTypes.metricConnect]: 'metrics',
  [FrameTypes.attachConnect]: 'attach',
};
const TYPE_OF: Readonly<Record<SessionKind, number>> = { logs: FrameTypes.logsConnect, exec: FrameTypes.execConnect, metrics: FrameTypes.metricConnect, attach: FrameTypes.attachConnect };

/** A session whose bytes nobody takes out may hold so much; more and it ends. All sessions of a tunnel together, four times that. */
const LIMIT = 16 * 1024 * 1024;
const LIMIT_OF_ALL = 4 * LIMIT;
/** Up to this a session does not count, so that busy ones need not be added up for each frame. */
const SMALL = 64 * 1024;
const NOTHING = new Uint8Array();
/** What the kernel takes at once leaves earlier, whether anybody receives it or not. */
const WAITED_MS = 250;

/** One end of a tunnel: many sessions over one wire, none of which can end another. */
export class Tunnel implements SessionWire {
  readonly #deps: TunnelDeps;
  readonly #sessions = new Map<number, TunnelSession>();
  readonly #congestion: Congestion;
  readonly #ended: Promise<string>;
  #resolveEnded: (reason: string) => void = ignore;
  #over = false;
  #pinger: NodeJS.Timeout | undefined;
  #watch: NodeJS.Timeout | undefined;
  #lastBytes = 0;
  #lastHeard = performance.now();
  #heard = false;

  constructor(deps: TunnelDeps) {
    this.#deps = deps;
    this.#ended = new Promise((resolve) => (this.#resolveEnded = resolve));
    this.#congestion = new Congestion({ tap: deps.wire });
    this.#lastBytes = deps.wire.bytesReceived;
    if (deps.pingMs !== undefined) this.#pinger = setInterval(() => deps.wire.ping(), deps.pingMs);
    this.#watch = setInterval(() => this.#listenForLife(), Math.max(50, Math.min(deps.silence.first, deps.silence.later) / 4));
    deps.wire.listen({ frame: (bytes) => this.#frame(bytes), closed: (reason) => this.#close(reason) });
  }

  /** Resolves, never rejects, with the reason when the tunnel has ended. */
  get ended(): Promise<string> {
    return this.#ended;
  }

  /** True when it has ended. */
  get over(): boolean {
    return this.#over;
  }

  /** Sessions that are open now. */
  get sessions(): number {
    return this.#sessions.size;
  }

  /** Begins a session: the cloud's end. One of a tunnel that has ended fails at once with `tunnel.ended`. */
  open(kind: SessionKind, request: ConnectRequest): TunnelSession {
    const session = this.#admit(request.id);
    if (this.#over) return session.destroy(tunnelError(TunnelErrors.ended, 'the tunnel has ended'));
    this.#deps.wire.send(encodeFrame(request.id, TYPE_OF[kind], encodeConnect(request)), ignore);
    return session;
  }

  /** Ends the tunnel and all its sessions. */
  close(reason: string): void {
    this.#close(reason);
    this.#deps.wire.close();
  }

  data(id: number, bytes: Uint8Array, done: (error?: Error) => void): void {
    const since = performance.now();
    this.#deps.wire.send(encodeFrame(id, FrameTypes.data, bytes), (error) => {
      const now = performance.now();
      // Bytes that had to wait and then left made room for themselves on the other side: it is there. Its pongs may be long in
      // coming, because the pings stand in line behind megabytes that a slow reader over there has not taken yet.
      if (!error && now - since >= WAITED_MS) this.#lastHeard = now;
      done(error);
    });
  }

  remove(id: number): void {
    if (!this.#over) this.#deps.wire.send(encodeFrame(id, FrameTypes.removeConnect, NOTHING), ignore);
  }

  taken(session: TunnelSession): void {
    this.#congestion.changed(session);
  }

  gone(session: TunnelSession): void {
    if (this.#sessions.get(session.id) === session) this.#sessions.delete(session.id);
    this.#congestion.forget(session);
  }

  #admit(id: number): TunnelSession {
    // A number in use means that its session is over for whoever chose the number.
    this.#sessions.get(id)?.abandon();
    const session = new TunnelSession({ id, wire: this });
    // What breaks one session is told to whoever uses it; nobody else has to know.
    session.on('error', ignore);
    this.#sessions.set(id, session);
    return session;
  }

  #frame(bytes: Buffer): void {
    if (this.#over) return;
    let frame: Frame;
    try {
      frame = decodeFrame(bytes);
    } catch (error) {
      return this.#deps.onGarbage(errorText(error));
    }
    const kind = KIND_OF[frame.type];
    if (kind !== undefined) return this.#connect(frame, kind);
    if (frame.type === FrameTypes.data) return this.#data(frame);
    // Upstream's cloud repeats the end of a session a thousand times: numbers that are not there are passed over at once.
    if (frame.type === FrameTypes.removeConnect) return this.#sessions.get(frame.id)?.endedThere();
    if (frame.type === FrameTypes.closeConnect) return this.close(`the cloud ends the tunnel: ${Buffer.from(frame.data).toString('utf8').slice(0, 200)}`);
    this.#deps.onGarbage(`a frame of unknown type ${frame.type}`);
  }

  #connect({ id, data }: Frame, kind: SessionKind): void {
    const { onSession, onGarbage } = this.#deps;
    if (!onSession) return onGarbage('the node asks for a session');
    let request: ConnectRequest;
    try {
      request = decodeConnect(id, data);
    } catch (error) {
      // Upstream leaves the caller waiting.
      this.remove(id);
      return onGarbage(errorText(error));
    }
    onSession(this.#admit(id), kind, request);
  }

  #data({ id, data }: Frame): void {
    const session = this.#sessions.get(id);
    if (!session) return;
    session.receive(data);
    this.#congestion.changed(session);
    if (session.waiting <= SMALL) return;
    if (session.waiting > LIMIT) return drop(session);
    const all = [...this.#sessions.values()];
    if (all.reduce((sum, { waiting }) => sum + waiting, 0) <= LIMIT_OF_ALL) return;
    drop(all.reduce((most, other) => (other.waiting > most.waiting ? other : most)));
  }

  #listenForLife(): void {
    const { wire, silence } = this.#deps;
    const now = performance.now();
    if (wire.bytesReceived !== this.#lastBytes) {
      this.#lastBytes = wire.bytesReceived;
      this.#lastHeard = now;
      this.#heard = true;
    }
    // While the flow is stopped from here, silence says nothing.
    if (this.#congestion.paused) this.#lastHeard = now;
    const limit = this.#heard ? silence.later : silence.first;
    if (now - this.#lastHeard < limit) return;
    this.#close(`nothing came from the other side for ${Math.round(limit / 1000)} s`);
    wire.terminate();
  }

  #close(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    clearInterval(this.#pinger);
    clearInterval(this.#watch);
    for (const session of [...this.#sessions.values()]) {
      // What came whole is still read to its end.
      if (!session.over) session.destroy(tunnelError(TunnelErrors.ended, `the tunnel has ended: ${reason}`));
    }
    this.#congestion.close();
    this.#resolveEnded(reason);
  }
}

function drop(session: TunnelSession): void {
  session.destroy(tunnelError(TunnelErrors.stuck, `${session.waiting} bytes that came for session ${session.id} were not taken`));
}

function ignore(): void {
  // A failed write ends the tunnel, and its end ends every session.
}
