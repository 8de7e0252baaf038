import { goQuote } from './go-quote.js';

/** The parts of an `authentication.k8s.io/v1` TokenRequest that this package reads. */
export interface TokenRequest {
  readonly spec?: {
    readonly audiences?: readonly string[] | null;
    readonly expirationSeconds?: number | null;
    readonly boundObjectRef?: { readonly kind?: string; readonly apiVersion?: string; readonly name?: string; readonly uid?: string } | null;
  };
  readonly status?: { readonly token?: string; readonly expirationTimestamp?: string | null };
}

/**
 * Key of a service account token in table `meta`, byte for byte upstream's, so that either agent finds the other's rows:
 * account and namespace quoted, then audiences, life and bound object in Go's notation.
 */
export function tokenKey(namespace: string, account: string, request: TokenRequest): string {
  const { audiences, expirationSeconds, boundObjectRef: bound } = request.spec ?? {};
  return [
    goQuote(account),
    goQuote(namespace),
    audiences ? `[]string{${audiences.map(goQuote).join(', ')}}` : '[]string(nil)',
    String(expirationSeconds ?? 0),
    `v1.BoundObjectReference{Kind:${goQuote(bound?.kind ?? '')}, APIVersion:${goQuote(bound?.apiVersion ?? '')}, ` +
      `Name:${goQuote(bound?.name ?? '')}, UID:${boundUid(bound?.uid ?? '')}}`,
  ].join('/');
}

/** True when the key is that of a token bound to the pod with that uid. */
export function isBoundTo(key: string, uid: string): boolean {
  return key.endsWith(`, UID:${boundUid(uid)}}`);
}

function boundUid(uid: string): string {
  return goQuote(uid);
}
