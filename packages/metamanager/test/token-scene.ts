import type { Store, TableSpec } from '@edge/core';
import { metaTable, type MetaRow } from '@edge/protocol';
import { sortedJson } from '../src/values/sorted-json.js';
import type { TokenRequest } from '../src/values/token-key.js';

export interface SpecParts {
  readonly audiences?: string[] | null;
  readonly expirationSeconds?: number;
  readonly uid?: string;
}

/** What a pod asks for. */
export const tokenSpec = ({ audiences = ['edge'], expirationSeconds = 600, uid = 'u1' }: SpecParts = {}): NonNullable<TokenRequest['spec']> => ({
  audiences,
  expirationSeconds,
  boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'p', uid },
});

/** A TokenRequest as edged sends it. */
export const tokenQuery = (parts: SpecParts = {}): TokenRequest & Record<string, unknown> => ({
  metadata: { creationTimestamp: null },
  spec: tokenSpec(parts),
  status: { token: '', expirationTimestamp: null },
});

/** A TokenRequest as the cloud answers it, with that much life left. */
export const tokenRequest = (token: string, leftMs: number, parts: SpecParts = {}): TokenRequest & Record<string, unknown> => ({
  kind: 'TokenRequest',
  apiVersion: 'authentication.k8s.io/v1',
  metadata: { creationTimestamp: null },
  spec: tokenSpec(parts),
  status: { token, expirationTimestamp: new Date(Date.now() + leftMs).toISOString() },
});

/** A row in clear, as upstream's agent leaves it. */
export async function storeAsUpstream(store: Store, key: string, value: unknown): Promise<void> {
  const meta = store.table<MetaRow>(metaTable);
  await store.commit(() => meta.put({ key, type: 'serviceaccounttoken', value: sortedJson(value) }));
}

export interface SealedRow {
  key: string;
  key_id: string;
  sealed: string;
}
const sealedTable: TableSpec<SealedRow> = { name: 'edge_service_account_token', columns: { key: 'text', key_id: 'text', sealed: 'text' }, key: ['key'] };

export const sealedRows = (store: Store): SealedRow[] => store.table(sealedTable).all().filter(({ key }) => key !== '');
export const storedTokenKeys = (store: Store): string[] => sealedRows(store).map(({ key }) => key);
export const clearRows = (store: Store): MetaRow[] => store.table<MetaRow>(metaTable).all({ type: 'serviceaccounttoken' });
