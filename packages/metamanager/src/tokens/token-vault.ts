import { errorCode, errorText, type Logger, type Store, type Table, type TableSpec } from '@edge/core';
import { metaTable, ResourceTypes, type MetaRow } from '@edge/protocol';
import type { MetaManagerConfig } from '../config.js';
import { isBoundTo } from '../values/token-key.js';
import { makeKeyFile, readKeyFile } from './key-file.js';
import { keyId, seal, unseal } from './sealed.js';
import { issuedAt, readStoredToken, readUpstreamRow, type StoredToken } from './stored-token.js';

interface SealedRow {
  /** As in `StoredToken`. */
  key: string;
  /** Of the key that sealed it. */
  key_id: string;
  sealed: string;
}

const sealedTable: TableSpec<SealedRow> = { name: 'edge_service_account_token', columns: { key: 'text', key_id: 'text', sealed: 'text' }, key: ['key'] };
/** Key of the row that says whether the file has been rid of tokens in clear. */
const MARK = '';
/** Tokens of one account that no volume holds: whoever may ask for them through the local API could ask for ever other audiences and lives. */
const MOST_LOOSE = 100;

/**
 * Service account tokens at rest: in memory as they are, in the file encrypted with a key that only root can read. A
 * token that cannot be written (no key, no space) still serves while the agent runs. [metamanager-12]
 */
export class TokenVault {
  readonly #store: Store;
  readonly #keyPath: string;
  readonly #log: Logger;
  readonly #rows: Table<SealedRow>;
  readonly #meta: Table<MetaRow>;
  readonly #tokens = new Map<string, StoredToken>();
  #opened: Promise<void> | undefined;
  #key: Buffer | undefined;
  #making: Promise<Buffer | undefined> | undefined;
  /** The key file is there and of no use to us: it stays as it is, and so does what is stored. */
  #isBlocked = false;
  #isSaid = false;

  constructor(deps: { store: Store; config: Pick<MetaManagerConfig, 'tokenKeyFile'>; log: Logger }) {
    this.#store = deps.store;
    this.#keyPath = deps.config.tokenKeyFile;
    this.#log = deps.log;
    this.#rows = deps.store.table<SealedRow>(sealedTable);
    this.#meta = deps.store.table<MetaRow>(metaTable);
  }

  /** Reads what is stored and takes over what upstream stored in clear. To be waited for before anything else; never rejects. */
  open(): Promise<void> {
    return (this.#opened ??= this.#open());
  }

  find(key: string): StoredToken | undefined {
    return this.#tokens.get(key);
  }

  all(): StoredToken[] {
    return [...this.#tokens.values()];
  }

  /** Keeps a token unless one that was issued later is there. Resolves when it is on the disk or when it was said why it is not. */
  async put(given: StoredToken): Promise<void> {
    const there = this.#tokens.get(given.key);
    if (there && issuedAt(there.answer) > issuedAt(given.answer)) return;
    const token = there?.isMounted ? { ...given, isMounted: true } : given;
    this.#tokens.set(token.key, token);
    const surplus = this.#surplusOf(token);
    for (const old of surplus) this.#tokens.delete(old);
    const key = await this.#sealingKey();
    if (!key) return;
    await this.#write(() => {
      surplus.forEach((old) => this.#tokens.has(old) || this.#forget(old));
      // Its pod may have gone, or a newer one have come, while the key was made.
      if (this.#tokens.get(token.key) === token) this.#putSealed(key, token);
    });
  }

  /** Forgets tokens. */
  async drop(keys: readonly string[]): Promise<void> {
    await this.#write(() => keys.forEach((key) => this.#forget(key)));
  }

  /** Forgets the tokens of a pod. Only inside a unit of the store, so that they go together with the pod. */
  dropBound(podUid: string): void {
    for (const key of this.#tokens.keys()) if (isBoundTo(key, podUid)) this.#forget(key);
  }

  async #open(): Promise<void> {
    const own = this.#rows.all().filter(({ key }) => key !== MARK);
    const clear = this.#meta.all({ type: ResourceTypes.serviceAccountToken });
    const isExposed = await this.#readKey();
    const lost = own.filter((row) => !this.#remember(this.#unseal(row)));
    for (const row of clear) for (const token of readUpstreamRow(row.key, row.value)) this.#remember(token);
    if (isExposed) for (const token of this.all()) this.#tokens.set(token.key, { ...token, isExposed });
    if (lost.length > 0 && !this.#isBlocked) {
      this.#log.warn('stored service account tokens cannot be decrypted and are asked for anew: their key is lost or another one', { tokens: lost.length, keyFile: this.#keyPath });
    }
    const isClean = this.#rows.get({ key: MARK })?.sealed === 'clean';
    if (clear.length + own.length > 0 || isExposed) await this.#seal(clear, lost, isExposed);
    if (!isClean || clear.length > 0) await this.#clean(clear.length > 0 || this.#meta.count() > 0);
  }

  /** Reads the key file; true when others could read it. Without a key nothing is made yet. */
  async #readKey(): Promise<boolean> {
    try {
      const found = await readKeyFile(this.#keyPath);
      if (!('key' in found)) {
        if (found.state === 'damaged') this.#log.error('the key of stored service account tokens is damaged; a new one is made', { code: 'metamanager.token-key', keyFile: this.#keyPath });
        return false;
      }
      this.#key = found.key;
      if (found.state === 'good') return false;
      this.#log.error('others than its owner could read the key of stored service account tokens; there will be a new key, and new tokens are asked for', {
        code: 'metamanager.token-key', keyFile: this.#keyPath, right: 'mode 0600, owned by the user of the agent or by root',
      });
      return true;
    } catch (error) {
      this.#isBlocked = true;
      this.#complain(error);
      return false;
    }
  }

  /** Brings the file in step with what was read: all sealed with one key, nothing in clear, nothing that cannot be read. */
  async #seal(clear: readonly MetaRow[], lost: readonly SealedRow[], isExposed: boolean): Promise<void> {
    const before = this.#key;
    // A power cut between the two costs the stored tokens as a lost key does.
    if (isExposed) this.#key = undefined;
    const key = (await this.#sealingKey()) ?? before;
    this.#key = key;
    if (!key) return;
    const isNew = key !== before;
    await this.#write(() => {
      for (const row of lost) this.#rows.remove({ key: row.key });
      for (const token of this.#tokens.values()) if (isNew || clear.length > 0) this.#putSealed(key, token);
      for (const row of clear) this.#meta.remove({ key: row.key });
      if (clear.length > 0) this.#rows.put({ key: MARK, key_id: '', sealed: 'in clear' });
    });
  }

  /** Rids the file of all that was removed: upstream leaves tokens in free space. A new file holds nothing. */
  async #clean(isUsed: boolean): Promise<void> {
    if (this.#meta.count({ type: ResourceTypes.serviceAccountToken }) > 0) return;
    try {
      if (isUsed) await this.#store.compact();
      await this.#store.commit(() => this.#rows.put({ key: MARK, key_id: '', sealed: 'clean' }));
    } catch (error) {
      this.#log.warn('the database may still hold service account tokens in clear in its free space; the next start tries again', { err: errorText(error) });
    }
  }

  /** Keys of the oldest tokens beyond those that an account may have without a volume, the one that is being kept excepted. */
  #surplusOf({ key, namespace, account }: StoredToken): string[] {
    const loose = this.all().filter((token) => !token.isMounted && token.namespace === namespace && token.account === account);
    if (loose.length <= MOST_LOOSE) return [];
    const others = loose.filter((token) => token.key !== key).sort((one, other) => issuedAt(one.answer) - issuedAt(other.answer));
    return others.slice(0, loose.length - MOST_LOOSE).map((token) => token.key);
  }

  #unseal(row: SealedRow): StoredToken | undefined {
    if (!this.#key || row.key_id !== keyId(this.#key)) return undefined;
    const text = unseal(this.#key, row.key, row.sealed);
    return text === undefined ? undefined : readStoredToken(row.key, text);
  }

  #remember(token: StoredToken | undefined): boolean {
    if (!token) return false;
    const there = this.#tokens.get(token.key);
    if (!there || issuedAt(there.answer) <= issuedAt(token.answer)) this.#tokens.set(token.key, token);
    return true;
  }

  #putSealed(key: Buffer, token: StoredToken): void {
    const { key: place, namespace, account, asked, answer, isMounted, isExposed } = token;
    this.#rows.put({ key: place, key_id: keyId(key), sealed: seal(key, place, JSON.stringify({ namespace, account, asked, answer, isMounted, isExposed })) });
  }

  #forget(key: string): void {
    this.#tokens.delete(key);
    this.#rows.remove({ key });
    // There without a key that could take it over.
    this.#meta.remove({ key, type: ResourceTypes.serviceAccountToken });
  }

  /** The key, made when it is needed first; undefined when that is not possible. */
  async #sealingKey(): Promise<Buffer | undefined> {
    if (this.#key || this.#isBlocked) return this.#key;
    this.#making ??= makeKeyFile(this.#keyPath).catch((error: unknown) => {
      // The next token tries again.
      this.#making = undefined;
      this.#complain(error);
      return undefined;
    });
    const key = await this.#making;
    this.#key ??= key;
    return key;
  }

  async #write(work: () => void): Promise<void> {
    try {
      await this.#store.commit(work);
    } catch (error) {
      this.#complain(error);
    }
  }

  /** Once a run: the same thing hinders every token. */
  #complain(error: unknown): void {
    if (this.#isSaid) return;
    this.#isSaid = true;
    this.#log.error('service account tokens are kept in memory only and do not survive a restart', { code: errorCode(error), keyFile: this.#keyPath, err: errorText(error) });
  }
}
