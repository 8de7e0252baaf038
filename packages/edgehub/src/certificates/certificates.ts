import { Complaints, backoffDelay, EdgeError, errorCode, isAbort, sleep, type Logger, type NodeIdentity, type WritableCell, type Credentials } from '@edge/core';
import type { EdgeHubConfig } from '../config.js';
import { diagnose, type Symptoms } from '../diagnosis/diagnose.js';
import { EdgeHubErrors } from '../errors.js';
import { linkedAbort, type LinkedAbort } from '../linked-abort.js';
import type { TokenStore } from '../tokens.js';
import { enrol, renew, type EnrolOptions } from './enrol.js';
import { readPair, writePair } from './files.js';
import { parseJoinToken, type JoinToken } from './join-token.js';
import type { NodePair } from './pair.js';
import { ENROL_BACKOFF, expiryWarning, renewalTime } from './rotation.js';

export interface CertificatesDeps {
  readonly config: EdgeHubConfig;
  readonly identity: NodeIdentity;
  readonly credentials: WritableCell<Credentials | undefined>;
  readonly tokens: TokenStore;
  readonly log: Logger;
}

/** Connects with a pair that is not in use yet. Rejects when the cloud does not take it. */
export type ProvePair = (pair: NodePair, signal: AbortSignal) => Promise<void>;

/** The clock is looked at this often: it may be set while we wait. */
const LOOK_MS = 60_000;
const SAY_AGAIN_MS = 600_000;
const DAY_MS = 86_400_000;

/** The node's certificates: from the files, from the cloud by token, renewed in time. Never gives up. */
export class Certificates {
  readonly #deps: CertificatesDeps;
  readonly #complaints = new Complaints(SAY_AGAIN_MS);
  readonly #expiryComplaints = new Complaints(DAY_MS);
  /** Drawn once per agent: a renewal that failed must not be put off by a new draw. */
  readonly #luck = Math.random();
  #pair: NodePair | undefined;
  #doubt: LinkedAbort | undefined;

  constructor(deps: CertificatesDeps) {
    this.#deps = { ...deps, log: deps.log.named('certificates') };
  }

  /** The pair to dial with. */
  get pair(): NodePair | undefined {
    return this.#pair;
  }

  /** Resolves with a pair as soon as there is one: at once from the files, else from the cloud, however long that takes. */
  async obtain(signal: AbortSignal): Promise<NodePair> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        const stored = await this.#readStored();
        if (stored) return this.#use(stored);
        const token = await this.#token(true);
        if (!token) throw new EdgeError(EdgeHubErrors.tokenMissing, 'there are no certificates and no join token');
        return await this.#enrol(token, signal);
      } catch (error) {
        if (signal.aborted || isAbort(error)) throw error;
        this.#complain(error);
      }
      await sleep(backoffDelay(ENROL_BACKOFF, attempt, Math.random()), signal);
    }
  }

  /** Renews before the end, and enrols anew when it is too late for that, until the signal aborts. */
  async keepFresh(prove: ProvePair, signal: AbortSignal): Promise<never> {
    for (let attempt = 0; ; ) {
      const present = this.#pair as NodePair;
      const doubted = await this.#untilDue(present, attempt, signal);
      let purpose: Symptoms['purpose'] = 'enrol';
      try {
        const fresh = await this.#replacement(present, doubted, signal);
        purpose = 'link';
        if (fresh) await this.#take(fresh, prove, signal);
        attempt = fresh ? 0 : attempt + 1;
        if (fresh) this.#complaints.clear();
      } catch (error) {
        if (signal.aborted || isAbort(error)) throw error;
        this.#complain(error, purpose);
        attempt += 1;
      }
    }
  }

  /** The cloud and our pair do not get along: look for something better now rather than at renewal time. */
  doubt(): void {
    this.#doubt?.abort();
  }

  async #readStored(): Promise<NodePair | undefined> {
    const { config, identity } = this.#deps;
    try {
      return await readPair(config, identity.name);
    } catch (error) {
      if (errorCode(error) !== EdgeHubErrors.badCertificate) throw error;
      // Unusable is as good as missing, but the reason must be known when there is no token either.
      this.#complain(error);
      return undefined;
    }
  }

  async #enrol(token: JoinToken, signal: AbortSignal): Promise<NodePair> {
    const pair = await enrol(token, this.#options(signal));
    await writePair(this.#deps.config, pair);
    this.#deps.log.info('joined the cloud: certificate received', { server: this.#deps.config.httpServer, notAfter: new Date(pair.notAfter).toISOString() });
    await this.#forgetToken();
    return this.#use(pair);
  }

  /** What should take the place of the present pair now: renewed, or enrolled anew; undefined when nothing is to be had. */
  async #replacement(present: NodePair, doubted: boolean, signal: AbortSignal): Promise<NodePair | undefined> {
    const now = Date.now();
    const alive = now >= present.notBefore && now < present.notAfter;
    if (alive && !doubted) return renew(present, this.#options(signal));
    const token = await this.#token(false);
    if (token) return enrol(token, this.#options(signal));
    // Our clock may be wrong about the expiry, so asking costs nothing.
    if (!alive) return renew(present, this.#options(signal));
    return undefined;
  }

  async #take(fresh: NodePair, prove: ProvePair, signal: AbortSignal): Promise<void> {
    const { config, log } = this.#deps;
    const present = this.#pair as NodePair;
    const sameCloud = fresh.ca === present.ca;
    // The old pair stays in its files until the new one has connected. An old one that is of no use needs no such care.
    if (sameCloud && Date.now() < present.notAfter) await prove(fresh, signal);
    await writePair(config, fresh);
    if (!sameCloud || Date.now() >= present.notAfter) await this.#forgetToken();
    this.#use(fresh);
    log.info('certificate replaced', { notAfter: new Date(fresh.notAfter).toISOString() });
  }

  /** Waits for the renewal time or, after failures, for the pause. True when woken by `doubt`. */
  async #untilDue(present: NodePair, attempt: number, signal: AbortSignal): Promise<boolean> {
    const due = this.#deps.config.rotateCertificates ? renewalTime(present, this.#luck) : present.notAfter;
    if (attempt > 0) await sleep(backoffDelay(ENROL_BACKOFF, attempt - 1, Math.random()), signal);
    using doubt = linkedAbort(signal);
    this.#doubt = doubt;
    while (Date.now() < due) {
      this.#warnOfExpiry(present);
      try {
        await sleep(Math.min(LOOK_MS, Math.max(1, due - Date.now())), doubt.signal);
      } catch (error) {
        if (signal.aborted) throw error;
        return true;
      }
    }
    return false;
  }

  #warnOfExpiry(pair: NodePair): void {
    const days = expiryWarning(pair, Date.now());
    if (days === undefined || !this.#expiryComplaints.passes(`expiry ${days}`)) return;
    this.#deps.log.warn(`the node certificate ends in less than ${days} days`, {
      notAfter: new Date(pair.notAfter).toISOString(),
      rotateCertificates: this.#deps.config.rotateCertificates,
    });
  }

  /** @param mustBeReadable true: a malformed token is an error; false: it is as good as none */
  async #token(mustBeReadable: boolean): Promise<JoinToken | undefined> {
    const { config, tokens } = this.#deps;
    const text = (await tokens.readToken?.()) || config.token;
    if (text === '') return undefined;
    try {
      return parseJoinToken(text);
    } catch (error) {
      if (mustBeReadable) throw error;
      return undefined;
    }
  }

  async #forgetToken(): Promise<void> {
    try {
      await this.#deps.tokens.forgetToken();
    } catch (error) {
      // The node has joined; a token that stays in the file is no reason to be down.
      this.#deps.log.warn('the used join token could not be removed from the configuration', { err: String(error) });
    }
  }

  #use(pair: NodePair): NodePair {
    this.#pair = pair;
    this.#deps.credentials.set({ ca: pair.ca, certificate: pair.certificate, privateKey: pair.privateKey, notAfter: pair.notAfter });
    return pair;
  }

  #options(signal: AbortSignal): EnrolOptions {
    return { node: this.#deps.identity.name, httpServer: this.#deps.config.httpServer, signal, now: Date.now };
  }

  #complain(error: unknown, purpose: Symptoms['purpose'] = 'enrol'): void {
    const { config, identity, log } = this.#deps;
    const found = diagnose({
      purpose,
      error,
      node: identity.name,
      now: Date.now(),
      config,
      ...(this.#pair ? { own: this.#pair } : {}),
    });
    if (this.#complaints.passes(`${found.code} ${found.address}`)) log.error(found.text, { code: found.code });
  }
}
