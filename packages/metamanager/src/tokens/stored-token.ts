import { isFields } from '@edge/protocol';
import { tokenKey, type TokenRequest } from '../values/token-key.js';

/** A question for a token; `key` tells it from all others: account, namespace, audiences, life and bound object. */
export interface TokenQuestion {
  readonly key: string;
  readonly namespace: string;
  readonly account: string;
  /** The TokenRequest as it was asked. */
  readonly asked: TokenRequest;
}

/** A token as it is kept. */
export interface StoredToken extends TokenQuestion {
  /** The TokenRequest as the cloud answered it; what it left out of the question is filled in. */
  readonly answer: TokenRequest;
  /** edged asked, so it lies in a volume and has to be renewed while its pod is there. */
  readonly isMounted: boolean;
  /** Others may have read it: a new one is wanted at once. */
  readonly isExposed?: boolean;
}

export function tokenQuestion(namespace: string, account: string, asked: TokenRequest): TokenQuestion {
  return { key: tokenKey(namespace, account, asked), namespace, account, asked };
}

/** Reads what was sealed; undefined when it is no token for that key. */
export function readStoredToken(key: string, text: string): StoredToken | undefined {
  const value = parse(text);
  if (!isFields(value) || typeof value.namespace !== 'string' || typeof value.account !== 'string' || !isFields(value.asked) || !isFields(value.answer)) return undefined;
  const token: StoredToken = {
    ...tokenQuestion(value.namespace, value.account, value.asked),
    answer: value.answer,
    isMounted: value.isMounted === true,
    ...(value.isExposed === true ? { isExposed: true } : {}),
  };
  return token.key === key && token.answer.status?.token ? token : undefined;
}

/**
 * Reads a row of upstream. Its key is that of the answer, in which the cloud has filled in the audiences of a question
 * that named none: those are the API's own, which the token names as its issuer. Such a row answers both questions.
 */
export function readUpstreamRow(key: string, value: string): StoredToken[] {
  const answer = parse(value);
  const [, account, namespace] = /^"([^"\\]+)"\/"([^"\\]+)"\//.exec(key) ?? [];
  if (account === undefined || namespace === undefined || !isFields(answer)) return [];
  const { spec, status } = answer as TokenRequest;
  const own = tokenQuestion(namespace, account, { spec: spec ?? {} });
  if (own.key !== key || !status?.token) return [];
  const audiences = spec?.audiences ?? [];
  const isDefault = audiences.length === 1 && audiences[0] === issuerOf(status.token);
  const questions = isDefault ? [own, tokenQuestion(namespace, account, { spec: { ...spec, audiences: null } })] : [own];
  return questions.map((question) => ({ ...question, asked: askable(question.asked), answer: answer as TokenRequest, isMounted: true }));
}

/** Milliseconds since 1970; 0 when it says nothing of its age. */
export function issuedAt({ spec, status }: TokenRequest): number {
  const end = Date.parse(status?.expirationTimestamp ?? '');
  return Number.isNaN(end) ? 0 : end - (spec?.expirationSeconds ?? 0) * 1000;
}

/** As edged would ask it. */
function askable(request: TokenRequest): TokenRequest {
  return { metadata: { creationTimestamp: null }, ...request, status: { token: '', expirationTimestamp: null } } as TokenRequest;
}

function issuerOf(token: string): unknown {
  const claims = parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  return isFields(claims) ? claims.iss : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
