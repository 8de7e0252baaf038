import type { KeyedCertificate } from './ca/certificates.js';
import { createJoinToken } from './ca/token.js';
import type { Clients } from './objects.js';

const NAMESPACE = 'kubeedge';
const SECRET = 'tokensecret';

/** The token that nodes join with, always good for at least half of its life. */
export class JoinToken {
  readonly #authority: KeyedCertificate;
  readonly #ttlMs: number;
  readonly #secrets: Clients['secrets'];
  readonly #onFailure: (error: unknown) => void;
  #token = '';
  #madeAt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: { authority: KeyedCertificate; ttlMs: number; secrets: Clients['secrets']; onFailure: (error: unknown) => void }) {
    this.#authority = deps.authority;
    this.#ttlMs = deps.ttlMs;
    this.#secrets = deps.secrets;
    this.#onFailure = deps.onFailure;
  }

  /** The present token. */
  get(): string {
    const now = Date.now();
    if (this.#token === '' || now - this.#madeAt >= this.#ttlMs / 2) {
      this.#token = createJoinToken(this.#authority, now + this.#ttlMs);
      this.#madeAt = now;
    }
    return this.#token;
  }

  /** Publishes it where CloudCore does, in the secret `kubeedge/tokensecret`, now and whenever it changes. */
  async publish(): Promise<void> {
    await this.#write();
    // Timers hold at most 24.8 days.
    this.#timer = setInterval(() => void this.#write().catch(this.#onFailure), Math.min(Math.max(this.#ttlMs / 2, 1000), 2_000_000_000));
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #write(): Promise<void> {
    const data = { tokendata: Buffer.from(this.get()).toString('base64') };
    const found = await this.#secrets.modify(SECRET, NAMESPACE, (copy) => {
      copy.data = data;
    });
    if (!found) await this.#secrets.create({ apiVersion: 'v1', kind: 'Secret', type: 'Opaque', metadata: { name: SECRET, namespace: NAMESPACE }, data } as never);
  }
}
