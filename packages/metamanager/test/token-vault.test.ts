import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, type Logger } from '@edge/core';
import { openStore, type OpenedStore } from '@edge/store';
import { createMemoryStore } from '@edge/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseMetaManagerConfig } from '../src/config.js';
import { keyId, seal, unseal } from '../src/tokens/sealed.js';
import { tokenQuestion, type StoredToken } from '../src/tokens/stored-token.js';
import { TokenVault } from '../src/tokens/token-vault.js';
import { tokenKey } from '../src/values/token-key.js';
import { openScene } from './scene.js';
import { clearRows, sealedRows, storeAsUpstream, tokenQuery, tokenRequest, type SpecParts } from './token-scene.js';

const SECRET = 'eyJhbGciOiJSUzI1NiJ9.c2VjcmV0LXNlY3JldC1zZWNyZXQ';
let folder = '';
let path = '';
let keyFile = '';
const stores: OpenedStore[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'token-vault-'));
  path = join(folder, 'edgecore.db');
  keyFile = `${path}.token-key`;
});
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const open = async (): Promise<OpenedStore> => {
  const store = await openStore({ path, log: silentLogger });
  stores.push(store);
  return store;
};
/** A vault over the store with what it said. */
async function vaultOver(store: ConstructorParameters<typeof TokenVault>[0]['store'], tokenKeyFile = keyFile): Promise<{ vault: TokenVault; said: string[] }> {
  const said: string[] = [];
  const note = (text: string, fields?: Readonly<Record<string, unknown>>): void => void said.push(`${text} ${JSON.stringify(fields)}`);
  const vault = new TokenVault({ store, config: { tokenKeyFile }, log: { ...silentLogger, warn: note, error: note } as Logger });
  await vault.open();
  return { vault, said };
}
const stored = (token: string, leftMs = 600_000, parts: SpecParts = {}): StoredToken => ({ ...tokenQuestion('default', 'default', tokenQuery(parts)), answer: tokenRequest(token, leftMs, parts), isMounted: true });
const key = tokenKey('default', 'default', tokenQuery());
const tokensOf = (vault: TokenVault): unknown[] => vault.all().map(({ answer }) => answer.status?.token);
/** How often the secret stands in any file of the folder. */
const inClear = (): number => readdirSync(folder).reduce((sum, name) => sum + readFileSync(join(folder, name), 'latin1').split(SECRET).length - 1, 0);

describe('sealing', () => {
  it('[metamanager-12.1] gives a text back for the same key and place, and nothing when one bit, the key or the place is another', () => {
    const mine = Buffer.alloc(32, 1);
    const sealed = seal(mine, 'place', 'tökén');
    expect(unseal(mine, 'place', sealed)).toBe('tökén');
    expect(seal(mine, 'place', 'tökén')).not.toBe(sealed);
    expect(unseal(Buffer.alloc(32, 2), 'place', sealed)).toBeUndefined();
    expect(unseal(mine, 'other', sealed)).toBeUndefined();
    const bytes = Buffer.from(sealed, 'base64');
    for (let index = 0; index < bytes.length; index += 1) {
      const changed = Buffer.from(bytes);
      changed[index] = (changed[index] ?? 0) ^ 1;
      expect(unseal(mine, 'place', changed.toString('base64'))).toBeUndefined();
    }
    for (const bad of ['', 'x', bytes.subarray(0, 28).toString('base64')]) expect(unseal(mine, 'place', bad)).toBeUndefined();
    expect(keyId(mine)).not.toBe(keyId(Buffer.alloc(32, 2)));
  });
});

describe('tokens at rest', () => {
  it('[metamanager-12.2] stay over a restart, with a key that its owner alone can read, and no file holds them in clear', async () => {
    const first = await open();
    const { vault } = await vaultOver(first);
    expect(existsSync(keyFile)).toBe(false);
    await vault.put(stored(SECRET));
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
    expect(inClear()).toBe(0);
    await first.close();
    const again = await vaultOver(await open());
    expect(tokensOf(again.vault)).toEqual([SECRET]);
    expect(again.vault.find(key)?.isMounted).toBe(true);
    expect(again.said).toEqual([]);
    expect(inClear()).toBe(0);
  });

  it('[metamanager-12.3] that upstream wrote in clear are taken over, and the file is rid of them and of those that upstream had removed', async () => {
    const before = await open();
    await storeAsUpstream(before, key, tokenRequest(SECRET, 600_000));
    const others = Array.from({ length: 30 }, (_, index) => tokenKey('default', 'default', tokenQuery({ uid: `other-${index}` })));
    for (const other of others) await storeAsUpstream(before, other, tokenRequest(SECRET.repeat(1 + (others.indexOf(other) % 3) * 80), 600_000));
    await storeAsUpstream(before, 'no token key', { ErrStatus: { code: 404 } });
    const meta = before.table({ name: 'meta', columns: { key: 'text', type: 'text', value: 'text' }, key: ['key'] } as const);
    await before.commit(() => others.forEach((other) => meta.remove({ key: other })));
    await before.close();
    expect(inClear()).toBeGreaterThan(10);
    const store = await open();
    const { vault, said } = await vaultOver(store);
    expect(tokensOf(vault)).toEqual([SECRET]);
    expect(inClear()).toBe(0);
    expect(clearRows(store)).toEqual([]);
    expect(said).toEqual([]);
    await store.close();
    expect(inClear()).toBe(0);
    expect(tokensOf((await vaultOver(await open())).vault)).toEqual([SECRET]);
  });

  it('[metamanager-12.4] the file is rewritten once and not at each start', async () => {
    const store = createMemoryStore();
    let times = 0;
    const counting = Object.assign(Object.create(store) as typeof store, { compact: async () => void (times += 1), commit: store.commit.bind(store), table: store.table.bind(store) });
    await storeAsUpstream(store, key, tokenRequest('t', 600_000));
    for (const _ of [1, 2, 3]) await vaultOver(counting);
    expect(times).toBe(1);
    // Upstream's agent ran in between.
    await storeAsUpstream(store, key, tokenRequest('newer', 650_000));
    expect(tokensOf((await vaultOver(counting)).vault)).toEqual(['newer']);
    expect(times).toBe(2);
  });

  it('[metamanager-12.5] of upstream answer a question without audiences when their audience is the issuer', async () => {
    const store = createMemoryStore();
    const issuer = 'https://kubernetes.default.svc';
    const jwt = `h.${Buffer.from(JSON.stringify({ iss: issuer })).toString('base64url')}.s`;
    for (const [uid, audience] of [['u1', issuer], ['u2', 'other']] as const) {
      await storeAsUpstream(store, tokenKey('default', 'default', tokenQuery({ uid, audiences: [audience] })), tokenRequest(jwt, 600_000, { uid, audiences: [audience] }));
    }
    const { vault } = await vaultOver(store);
    expect(vault.find(tokenKey('default', 'default', tokenQuery({ uid: 'u1', audiences: null })))?.answer.status?.token).toBe(jwt);
    expect(vault.find(tokenKey('default', 'default', tokenQuery({ uid: 'u2', audiences: null })))).toBeUndefined();
  });

  it.each([
    ['lost', () => rmSync(keyFile)],
    ['another one', () => writeFileSync(keyFile, `edge-token-key-v1 ${'ab'.repeat(32)}\n`, { mode: 0o600 })],
    ['empty after a power cut', () => writeFileSync(keyFile, '')],
    ['zeros after a power cut', () => writeFileSync(keyFile, Buffer.alloc(83))],
    ['cut off', () => writeFileSync(keyFile, 'edge-token-key-v1 abcd')],
  ])('[metamanager-12.6] whose key is %s are dropped with one word, and new ones are kept', async (_name, spoil) => {
    const first = await open();
    const { vault } = await vaultOver(first);
    await vault.put(stored('one'));
    await vault.put(stored('two', 600_000, { uid: 'u2' }));
    await first.close();
    spoil();
    const second = await open();
    const after = await vaultOver(second);
    expect(tokensOf(after.vault)).toEqual([]);
    expect(after.said.filter((line) => line.includes('cannot be decrypted') && line.includes('"tokens":2') && line.includes(keyFile))).toHaveLength(1);
    expect(sealedRows(second)).toEqual([]);
    await after.vault.put(stored('new'));
    await second.close();
    const third = await vaultOver(await open());
    expect(tokensOf(third.vault)).toEqual(['new']);
    expect(third.said).toEqual([]);
  });

  it('[metamanager-12.7] whose key others could read are sealed with a new key and marked for renewal', async () => {
    const first = await open();
    const { vault } = await vaultOver(first);
    await vault.put(stored('exposed'));
    const [before] = sealedRows(first);
    await first.close();
    const old = readFileSync(keyFile, 'utf8');
    chmodSync(keyFile, 0o644);
    const second = await open();
    const after = await vaultOver(second);
    expect(after.vault.find(key)).toMatchObject({ isExposed: true, answer: { status: { token: 'exposed' } } });
    expect(after.said).toEqual([expect.stringMatching(/others than its owner could read.*metamanager\.token-key.*0600/)]);
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
    expect(readFileSync(keyFile, 'utf8')).not.toBe(old);
    expect(sealedRows(second)[0]?.key_id).not.toBe(before?.key_id);
    await second.close();
    const third = await vaultOver(await open());
    expect(third.vault.find(key)?.isExposed).toBe(true);
    await third.vault.put(stored('new', 650_000));
    expect(third.vault.find(key)?.isExposed).toBeUndefined();
  });

  it('[metamanager-12.8] serve from memory when there can be no key, and a file that is none stays as it is', async () => {
    const store = await open();
    await storeAsUpstream(store, key, tokenRequest('clear', 600_000));
    const dear = join(folder, 'somebody.conf');
    writeFileSync(dear, 'dear = data\n');
    for (const [file, word] of [[dear, 'is no key'], [folder, 'is no key'], [join(dear, 'key'), 'cannot be read'], ['/proc/edge/no/key', 'cannot be made']] as const) {
      const { vault, said } = await vaultOver(store, file);
      await vault.put(stored('new', 600_000, { uid: 'u2' }));
      expect(tokensOf(vault)).toEqual(['clear', 'new']);
      expect(said).toEqual([expect.stringContaining(word)]);
      expect(said[0]).toMatch('metamanager.token-key');
    }
    expect(readFileSync(dear, 'utf8')).toBe('dear = data\n');
    // What upstream stored is not lost, and taken over when there is a key.
    expect(clearRows(store)).toHaveLength(1);
    expect(tokensOf((await vaultOver(store)).vault)).toEqual(['clear']);
    expect(clearRows(store)).toEqual([]);
  });

  it('[metamanager-12.9] serve from memory when the disk refuses them', async () => {
    const store = createMemoryStore();
    const { vault, said } = await vaultOver(store);
    store.failNext(new Error('disk full'));
    await vault.put(stored('t'));
    expect(tokensOf(vault)).toEqual(['t']);
    expect(said).toEqual([expect.stringMatching('disk full')]);
    await vault.put(stored('newer', 650_000));
    expect(tokensOf((await vaultOver(store)).vault)).toEqual(['newer']);
  });

  it('[metamanager-12.10] are never replaced by one that was issued earlier', async () => {
    const { vault } = await vaultOver(createMemoryStore());
    await vault.put(stored('new', 600_000));
    await vault.put(stored('old', 500_000));
    expect(tokensOf(vault)).toEqual(['new']);
  });
});

it('[metamanager-12.11] the key lies beside the database unless the configuration says where', () => {
  expect(parseMetaManagerConfig({}, {}).tokenKeyFile).toBe('/var/lib/kubeedge/edgecore.db.token-key');
  expect(parseMetaManagerConfig({}, { database: { dataSource: '/data/e.db' } }).tokenKeyFile).toBe('/data/e.db.token-key');
  expect(parseMetaManagerConfig({}, { database: { dataSource: '/data/e.db' }, edge: { metaManager: { tokenKeyFile: '/safe/key' } } }).tokenKeyFile).toBe('/safe/key');
  expect(() => parseMetaManagerConfig({}, { edge: { metaManager: { tokenKeyFile: 7 } } })).toThrow('edge.metaManager.tokenKeyFile is 7, it must be the path of a file');
});

it('[metamanager-12.12] a pod that starts after a power cut, without the cloud and long after the token has ended, finds it', async () => {
  const parts = { audiences: null, expirationSeconds: 3607 };
  const question = { operation: 'query', resource: 'default/serviceaccounttoken/default', content: tokenQuery(parts) };
  {
    const store = await open();
    // What the cloud issued an hour before the power went, and filled in.
    await using scene = await openScene({ store, tokenKeyFile: keyFile, connected: true, cloud: () => tokenRequest(SECRET, -1000, { ...parts, audiences: ['filled in'] }) });
    expect((await scene.ask(question)).content).toMatchObject({ status: { token: SECRET } });
    await scene.running.stop();
    await store.close();
  }
  const store = await open();
  await using scene = await openScene({ store, tokenKeyFile: keyFile });
  expect((await scene.ask(question)).content).toEqual([expect.stringContaining(SECRET)]);
  expect((await scene.ask({ ...question, resource: 'default/serviceaccounttoken/other' })).route.operation).toBe('error');
  expect(inClear()).toBe(0);
});

it('[metamanager-12.13] of one account at most 100 tokens are kept that lie in no volume, the newest; those in volumes and of other accounts stay', async () => {
  const store = await open();
  const { vault } = await vaultOver(store);
  await vault.put(stored('mounted', 1000));
  const loose = (index: number, account = 'default'): StoredToken => {
    const parts = { audiences: [`a${index}`] };
    return { ...tokenQuestion('default', account, tokenQuery(parts)), answer: tokenRequest(`loose-${index}`, 600_000 + index * 1000, parts), isMounted: false };
  };
  await vault.put(loose(500, 'other'));
  for (let index = 0; index < 103; index += 1) await vault.put(loose(index));
  const kept = tokensOf(vault);
  expect(kept).toHaveLength(102);
  expect(kept).toEqual(expect.arrayContaining(['mounted', 'loose-500', 'loose-3', 'loose-102']));
  expect(kept).not.toContain('loose-2');
  expect(sealedRows(store)).toHaveLength(102);
});
