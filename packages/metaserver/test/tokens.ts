import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import type { KubeObject } from '@edge/protocol';
import { ISSUER } from './guarded-scene.js';

/** A key of an API server, and tokens signed with it. */
export class TestIssuer {
  readonly #key: KeyObject;
  /** PEM of the public key. */
  readonly publicKey: string;

  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#key = privateKey;
    this.publicKey = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  }

  token(over: Record<string, unknown> = {}, own: Record<string, unknown> = {}): string {
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: ISSUER, aud: [ISSUER], exp: now + 3600, nbf: now, iat: now, sub: 'system:serviceaccount:default:reader',
      'kubernetes.io': { namespace: 'default', serviceaccount: { name: 'reader', uid: 'uid-reader' }, pod: { name: 'web', uid: 'uid-web' }, ...own }, ...over,
    };
    const body = [{ alg: 'ES256', kid: 'k' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    return `${body}.${sign('sha256', Buffer.from(body), { key: this.#key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  }
}

/** What policycontroller sends for service account `reader`: it may read pods and their logs in `default`. */
export function readerAccess(version = 5): KubeObject {
  return {
    kind: 'ServiceAccountAccess', apiVersion: 'policy.kubeedge.io/v1alpha1',
    metadata: { name: 'reader', namespace: 'default', uid: 'uid-access', resourceVersion: String(version), creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: {
      serviceAccount: { metadata: { name: 'reader', namespace: 'default', uid: 'uid-reader' } }, serviceAccountUid: 'uid-reader',
      accessRoleBinding: [{
        roleBinding: { metadata: { name: 'reads', namespace: 'default' }, subjects: [{ kind: 'ServiceAccount', name: 'reader', namespace: 'default' }], roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reads' } },
        rules: [{ apiGroups: [''], resources: ['pods', 'pods/log'], verbs: ['get', 'list', 'watch'] }],
      }],
    },
    status: {},
  } as unknown as KubeObject;
}
