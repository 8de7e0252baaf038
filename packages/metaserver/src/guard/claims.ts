import { isFields } from '@edge/protocol';

/** An object that a token is bound to. */
export interface BoundTo {
  readonly name: string;
  readonly uid: string;
}

/** What a token of a service account says. */
export interface Claims {
  readonly issuer: string;
  readonly audiences: readonly string[];
  /** Seconds since the epoch; absent for tokens without an end or a beginning. */
  readonly expires: number | undefined;
  readonly notBefore: number | undefined;
  readonly namespace: string;
  readonly account: BoundTo;
  readonly pod: BoundTo | undefined;
  readonly secret: BoundTo | undefined;
}

export interface ClaimRules {
  readonly issuers: readonly string[];
  readonly audiences: readonly string[];
}

/** Clocks of cloud and node differ; upstream's leeway, in seconds. */
const LEEWAY = 60;

/** The claims of a service account's token; a text that says what is missing otherwise. */
export function readClaims(raw: Readonly<Record<string, unknown>>): Claims | string {
  const own = raw['kubernetes.io'];
  if (!isFields(own) || typeof own['namespace'] !== 'string') return 'it is no token of a service account';
  const account = boundTo(own['serviceaccount']);
  const [pod, secret] = [boundTo(own['pod']), boundTo(own['secret'])];
  if (account === undefined) return 'it names no service account';
  if ((own['pod'] != null && pod === undefined) || (own['secret'] != null && secret === undefined)) return 'what it is bound to has no name and uid';
  const [expires, notBefore] = [raw['exp'] ?? undefined, raw['nbf'] ?? undefined];
  if ((expires !== undefined && typeof expires !== 'number') || (notBefore !== undefined && typeof notBefore !== 'number')) return 'its times are no numbers';
  const audiences = [raw['aud'] ?? []].flat();
  if (!audiences.every((audience) => typeof audience === 'string')) return 'its audiences are no texts';
  return { issuer: String(raw['iss'] ?? ''), audiences: audiences as string[], expires, notBefore, namespace: own['namespace'], account, pod, secret };
}

/** Why the token is not for here and now, undefined when it is. @param now milliseconds since the epoch */
export function claimProblem(claims: Claims, rules: ClaimRules, now: number): string | undefined {
  const { issuer, audiences, expires, notBefore } = claims;
  if (!rules.issuers.includes(issuer)) return `its issuer ${issuer} is none of ${rules.issuers.join(', ')}`;
  // A token without audience is for the API server, as upstream has it.
  if (audiences.length > 0 && !audiences.some((audience) => rules.audiences.includes(audience))) return `it is for ${audiences.join(', ')} and not for ${rules.audiences.join(', ')}`;
  const seconds = now / 1000;
  if (expires !== undefined && seconds > expires + LEEWAY) return 'it has expired';
  if (notBefore !== undefined && seconds < notBefore - LEEWAY) return 'it is not valid yet';
  return undefined;
}

function boundTo(value: unknown): BoundTo | undefined {
  if (!isFields(value) || typeof value['name'] !== 'string' || typeof value['uid'] !== 'string' || value['name'] === '' || value['uid'] === '') return undefined;
  return { name: value['name'], uid: value['uid'] };
}
