import { createHash, type KeyObject } from 'node:crypto';
import type { KubeObject, UserInfo } from '@edge/kubeapi';
import { accountOf } from './access-rules.js';
import { claimProblem, readClaims, type BoundTo, type ClaimRules, type Claims } from './claims.js';
import { isSignedBy, readJwt } from './jwt.js';
import type { NodeObjects } from './node-objects.js';

export interface TokenAuthenticatorDeps {
  readonly rules: ClaimRules;
  /** Keys of the API server; none: the token has to be one that is stored here. */
  readonly keys: readonly KeyObject[];
  readonly stored: { has(token: string): Promise<boolean> };
  readonly objects: NodeObjects;
  readonly now?: () => number;
}

/** A user, or why the token is not accepted. The reason is for the log. */
export type TokenVerdict = { readonly user: UserInfo } | { readonly problem: string };

/** As long as this a token counts as genuine without another look; what it is bound to is looked at each time. */
const GENUINE_MS = 10_000;
const MOST_REMEMBERED = 1000;
/** What was deleted less than this ago may still use its token, as upstream has it. */
const DELETION_LEEWAY_MS = 60_000;

/** Tokens of service accounts, checked on the node alone. [metaserver-20] */
export class TokenAuthenticator {
  readonly #deps: TokenAuthenticatorDeps;
  readonly #now: () => number;
  /** Digest of a token → until when it counts as genuine. */
  readonly #genuine = new Map<string, number>();

  constructor(deps: TokenAuthenticatorDeps) {
    this.#deps = deps;
    this.#now = deps.now ?? Date.now;
  }

  /** Rejects when it takes metamanager to know and that does not answer. */
  async check(token: string): Promise<TokenVerdict> {
    const jwt = readJwt(token);
    if (jwt === undefined) return { problem: 'it is no JWT' };
    const claims = readClaims(jwt.claims);
    if (typeof claims === 'string') return { problem: claims };
    const problem = claimProblem(claims, this.#deps.rules, this.#now());
    if (problem !== undefined) return { problem };
    if (!(await this.#isGenuine(token))) {
      return { problem: this.#deps.keys.length > 0 ? 'none of the keys in the configuration has signed it' : 'it is none of the tokens that are stored on this node' };
    }
    const gone = this.#whatIsGone(claims);
    return gone === undefined ? { user: userOf(claims) } : { problem: gone };
  }

  async #isGenuine(token: string): Promise<boolean> {
    const digest = createHash('sha256').update(token).digest('base64');
    const now = this.#now();
    const until = this.#genuine.get(digest);
    if (until !== undefined && now < until && until - now <= GENUINE_MS) return true;
    const { keys, stored } = this.#deps;
    const jwt = readJwt(token);
    const isGenuine = keys.length > 0 ? jwt !== undefined && isSignedBy(keys, jwt) : await stored.has(token);
    this.#genuine.delete(digest);
    if (!isGenuine) return false;
    if (this.#genuine.size >= MOST_REMEMBERED) this.#genuine.delete(this.#genuine.keys().next().value as string);
    this.#genuine.set(digest, now + GENUINE_MS);
    return true;
  }

  #whatIsGone({ namespace, account, pod, secret }: Claims): string | undefined {
    const { objects } = this.#deps;
    const isThere = objects.accesses().some((access) => {
      const known = accountOf(access);
      return known.namespace === namespace && known.name === account.name && known.uid === account.uid && !this.#isEnding(access);
    });
    if (!isThere) return `the cloud has not told this node of service account ${namespace}/${account.name} with uid ${account.uid}`;
    if (pod && !this.#stands(objects.find('pods', namespace, pod.name), pod)) return `pod ${namespace}/${pod.name} with uid ${pod.uid} is not here`;
    if (secret && !this.#stands(objects.find('secrets', namespace, secret.name), secret)) return `secret ${namespace}/${secret.name} with uid ${secret.uid} is not here`;
    return undefined;
  }

  #stands(object: KubeObject | undefined, { uid }: BoundTo): boolean {
    return object !== undefined && object.metadata.uid === uid && !this.#isEnding(object);
  }

  #isEnding({ metadata }: KubeObject): boolean {
    const { deletionTimestamp } = metadata;
    return deletionTimestamp !== undefined && Date.parse(deletionTimestamp) < this.#now() - DELETION_LEEWAY_MS;
  }
}

function userOf({ namespace, account, pod }: Claims): UserInfo {
  return {
    name: `system:serviceaccount:${namespace}:${account.name}`,
    uid: account.uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
    ...(pod ? { extra: { 'authentication.kubernetes.io/pod-name': [pod.name], 'authentication.kubernetes.io/pod-uid': [pod.uid] } } : {}),
  };
}
