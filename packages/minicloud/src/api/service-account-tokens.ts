import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomUUID, sign, verify } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { errorCode } from '@edge/core';
import { ApiError, notFound, type UserInfo } from '@edge/kubeapi';
import { timestamp } from '@edge/protocol';
import { writeDurably } from '../ca/authority.js';
import type { Clients } from '../objects.js';

/** Who issues: the default of agents and of kubeadm. Also the audience of tokens that name none. */
const ISSUER = 'https://kubernetes.default.svc.cluster.local';
const HOUR_S = 3600;
const MIN_LIFE_S = 600;

/** Reads the key that signs tokens of service accounts, making it when it is missing. */
export async function openTokenKey(path: string): Promise<KeyObject> {
  try {
    return createPrivateKey(await readFile(path, 'utf8'));
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeDurably(path, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 0o600);
  return privateKey;
}

interface TokenRequestSpec {
  audiences?: string[] | null;
  expirationSeconds?: number;
  boundObjectRef?: { kind?: string; apiVersion?: string; name?: string; uid?: string } | null;
}

interface Claims {
  aud: string[];
  exp: number;
  sub: string;
  'kubernetes.io'?: { namespace: string; serviceaccount: { name: string; uid: string }; pod?: { name: string; uid: string } };
}

/** Issues and checks tokens of service accounts: JWTs signed with ES256. */
export class TokenIssuer {
  readonly #key: KeyObject;
  readonly #clients: Pick<Clients, 'serviceAccounts' | 'pods'>;
  readonly #now: () => number;

  constructor(deps: { key: KeyObject; clients: Pick<Clients, 'serviceAccounts' | 'pods'>; now?: () => number }) {
    this.#key = deps.key;
    this.#clients = deps.clients;
    this.#now = deps.now ?? Date.now;
  }

  /**
   * Answers a TokenRequest.
   * @throws ApiError NotFound when the service account or the pod it is bound to is not there, Conflict when it is another one
   */
  async issue(account: { namespace: string; name: string }, request: Record<string, unknown>): Promise<Record<string, unknown>> {
    const spec = (request['spec'] ?? {}) as TokenRequestSpec;
    const owner = this.#clients.serviceAccounts.find(account.name, account.namespace);
    if (!owner) throw notFound({ resource: 'serviceaccounts', group: '', name: account.name });
    const audiences = spec.audiences && spec.audiences.length > 0 ? spec.audiences : [ISSUER];
    const life = Math.max(MIN_LIFE_S, Math.trunc(Number(spec.expirationSeconds ?? HOUR_S)) || HOUR_S);
    const issued = Math.floor(this.#now() / 1000);
    const pod = this.#boundPod(account.namespace, spec.boundObjectRef);
    const token = this.#sign({
      aud: audiences, exp: issued + life, iat: issued, iss: ISSUER, jti: randomUUID(),
      'kubernetes.io': { namespace: account.namespace, ...(pod ? { pod } : {}), serviceaccount: { name: account.name, uid: owner.metadata.uid } },
      nbf: issued, sub: `system:serviceaccount:${account.namespace}:${account.name}`,
    });
    return {
      kind: 'TokenRequest', apiVersion: 'authentication.k8s.io/v1', metadata: { creationTimestamp: null },
      spec: { audiences, expirationSeconds: life, ...(spec.boundObjectRef === undefined ? {} : { boundObjectRef: spec.boundObjectRef }) },
      status: { token, expirationTimestamp: timestamp((issued + life) * 1000) },
    };
  }

  /** Who holds a token, undefined when it is not good here. */
  check(token: string): UserInfo | undefined {
    const claims = this.#read(token);
    const bound = claims?.['kubernetes.io'];
    if (!claims || !bound || claims.exp * 1000 <= this.#now() || !claims.aud.includes(ISSUER)) return undefined;
    const { namespace, serviceaccount, pod } = bound;
    if (this.#clients.serviceAccounts.find(serviceaccount.name, namespace)?.metadata.uid !== serviceaccount.uid) return undefined;
    if (pod && this.#clients.pods.find(pod.name, namespace)?.metadata.uid !== pod.uid) return undefined;
    return { name: claims.sub, uid: serviceaccount.uid, groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'] };
  }

  #boundPod(namespace: string, bound: TokenRequestSpec['boundObjectRef']): { name: string; uid: string } | undefined {
    if (!bound || bound.kind !== 'Pod' || !bound.name) return undefined;
    const pod = this.#clients.pods.find(bound.name, namespace);
    if (!pod) throw notFound({ resource: 'pods', group: '', name: bound.name });
    if (bound.uid && bound.uid !== pod.metadata.uid) {
      throw new ApiError('Conflict', `the token is to be bound to pod ${bound.name} with uid ${bound.uid}, the pod has ${pod.metadata.uid}`);
    }
    return { name: pod.metadata.name, uid: pod.metadata.uid };
  }

  #sign(claims: object): string {
    const spki = createPublicKey(this.#key).export({ type: 'spki', format: 'der' });
    const head = { alg: 'ES256', kid: createHash('sha256').update(spki).digest('base64url') };
    const body = `${encode(head)}.${encode(claims)}`;
    return `${body}.${sign('sha256', Buffer.from(body), { key: this.#key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  }

  #read(token: string): Claims | undefined {
    const [head, body, signature, ...rest] = token.split('.');
    if (!head || !body || !signature || rest.length > 0) return undefined;
    const good = verify('sha256', Buffer.from(`${head}.${body}`), { key: createPublicKey(this.#key), dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'));
    return good ? (JSON.parse(Buffer.from(body, 'base64url').toString()) as Claims) : undefined;
  }
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
