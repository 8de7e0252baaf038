import { backoffDelay, Complaints, errorText, isAbort, sleep, type Backoff, type Credentials, type Life, type Logger, type MessageBus, type NodeCredentials, type NodeIdentity, type Runnable } from '@edge/core';
import { dialTunnel, Tunnel } from '@edge/tunnel';
import type { EdgeStreamConfig } from './config.js';
import { Figures, type Figure } from './figures.js';
import { SelfTest, type SelfTestTimes } from './self-test.js';
import { Sessions } from './sessions.js';

export interface EdgeStreamDeps {
  readonly config: EdgeStreamConfig;
  readonly identity: NodeIdentity;
  readonly credentials: NodeCredentials;
  readonly bus: MessageBus;
  readonly log: Logger;
  /** When the way of logs and commands is tried; as CloudCore and edged need it unless given. */
  readonly testTimes?: SelfTestTimes;
}

/** Upstream tries every 2 s without end. */
const PAUSE: Backoff = { firstMs: 1000, factor: 2, limitMs: 30_000, jitter: 0.5 };
/** A tunnel that held so long was a good one: the next attempt begins the pauses anew. */
const GOOD_MS = 10_000;
const PING_MS = 5000;
/** CloudCore reads only when it has written the node's status, which may take two minutes. */
const SILENCE = { first: 150_000, later: 30_000 };

/** Keeps the tunnel to the cloud open and serves what comes through it. */
export class EdgeStream implements Runnable {
  readonly #deps: EdgeStreamDeps;
  readonly #complaints = new Complaints();
  readonly #sessions: Sessions;
  readonly #figures = new Figures();
  readonly #test: SelfTest;

  constructor(deps: EdgeStreamDeps) {
    this.#deps = deps;
    this.#sessions = new Sessions({ bus: deps.bus, log: deps.log, complaints: this.#complaints });
    this.#test = new SelfTest({ bus: deps.bus, nodeName: deps.identity.name, log: deps.log, times: deps.testTimes });
  }

  /** What has gone through the tunnel. */
  figures(): readonly Figure[] {
    return this.#figures.all();
  }

  async run(life: Life): Promise<void> {
    // Nobody has to wait for the cloud.
    life.ready();
    for (let failures = 0; !life.signal.aborted; failures += 1) {
      try {
        const held = await this.#hold(life.signal);
        if (held >= GOOD_MS) failures = -1;
      } catch (error) {
        if (isAbort(error)) return;
        const why = errorText(error);
        this.#figures.dialFailed();
        if (this.#complaints.passes(why)) this.#deps.log.warn('there is no tunnel for logs and commands; tried again', { why });
        await this.#test.dialFailed(why, life.signal);
      }
      await sleep(backoffDelay(PAUSE, Math.max(0, failures), Math.random()), life.signal).catch(() => undefined);
    }
  }

  /**
   * One tunnel from the call to its end.
   * @returns milliseconds that it held
   * @throws EdgeError of `dialTunnel`
   */
  async #hold(signal: AbortSignal): Promise<number> {
    const { config, identity, credentials, log } = this.#deps;
    const shown = (await credentials.until((value) => value !== undefined, signal)) as Credentials;
    const [internalIp = ''] = await identity.addresses();
    const { wire, otherName } = await dialTunnel({
      ...config.server, ca: shown.ca, certificate: shown.certificate, privateKey: shown.privateKey,
      nodeName: identity.name, internalIp, limitMs: config.handshakeTimeout * 1000, signal,
    });
    if (otherName !== undefined && this.#complaints.passes(otherName)) log.info("the tunnel's certificate is the cloud's, for another name", { name: otherName });
    const since = performance.now();
    const tunnel: Tunnel = new Tunnel({
      wire, pingMs: PING_MS, silence: SILENCE,
      onSession: (session, kind, request) => {
        this.#figures.watch(session, kind);
        session.once('close', () => this.#leaveWhenOld(tunnel, shown));
        void this.#sessions.serve(session, kind, request);
      },
      onGarbage: (what) => {
        if (this.#complaints.passes(what)) log.warn('something came through the tunnel that is not what it should be', { what });
      },
    });
    log.info('the tunnel is open', { server: `${config.server.host}:${config.server.port}` });
    this.#figures.tunnelOpened();
    const over = new AbortController();
    const tests = this.#test.keepTesting(AbortSignal.any([signal, over.signal]));
    const stop = (): void => tunnel.close('the agent stops');
    signal.addEventListener('abort', stop, { once: true });
    using _renewed = credentials.subscribe(() => this.#leaveWhenOld(tunnel, shown));
    if (signal.aborted) stop();
    const reason = await tunnel.ended;
    signal.removeEventListener('abort', stop);
    this.#figures.tunnelEnded();
    over.abort();
    await tests;
    log.info('the tunnel has ended', { reason });
    return performance.now() - since;
  }

  /** After a renewal the tunnel is opened anew with the new certificate, as soon as nobody is in the middle of something. */
  #leaveWhenOld(tunnel: Tunnel, shown: Credentials): void {
    const { value } = this.#deps.credentials;
    if (value !== undefined && value.certificate !== shown.certificate && tunnel.sessions === 0) tunnel.close('the certificate was renewed');
  }
}
