import { Complaints, errorText, type Logger } from '@edge/core';
import { ApiError, type Authenticator, type UserInfo } from '@edge/kubeapi';
import { clientCertificateOf } from './client-certificate.js';
import type { TokenAuthenticator } from './token-authenticator.js';

export interface AuthenticateDeps {
  readonly tokens: Pick<TokenAuthenticator, 'check'>;
  /** PEM of the cluster's authority as it is now. */
  readonly clusterCa: () => string | undefined;
  readonly log: Logger;
}

const ANONYMOUS: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'] };

/**
 * Who asks: by client certificate, else by token, else nobody in particular. Who shows something that is not good is refused,
 * also where nobody in particular may pass. [metaserver-20]
 */
export function authenticator({ tokens, clusterCa, log }: AuthenticateDeps): Authenticator {
  const complaints = new Complaints();
  const refused = (what: string, why: string): undefined => {
    if (complaints.passes(`${what} ${why}`)) log.warn(`the local API refused a client: ${what} is not accepted`, { reason: why });
    return undefined;
  };
  return async (request) => {
    // As somebody else, kubectl's --as: who asks for fewer rights than his own must not get his own instead.
    const assumed = Object.keys(request.headers).find((name) => name.startsWith('impersonate-'));
    if (assumed !== undefined) throw new ApiError('Forbidden', `nobody may act as somebody else here: the header ${assumed} is not served by the API of a node`);
    const certificate = clientCertificateOf(request, clusterCa());
    if (certificate.kind === 'trusted') return certificate.user;
    const { authorization } = request.headers;
    if (authorization === undefined) return certificate.kind === 'none' ? ANONYMOUS : refused('its certificate', certificate.why);
    const [scheme, token, ...rest] = authorization.trim().split(/ +/);
    if (scheme?.toLowerCase() !== 'bearer' || !token || rest.length > 0) return refused('its header Authorization', 'it is not "Bearer <token>"');
    const verdict = await tokens.check(token).catch((error: unknown) => {
      throw new ApiError('ServiceUnavailable', `the token cannot be checked now: ${errorText(error)}`, {}, { cause: error });
    });
    return 'user' in verdict ? verdict.user : refused('its token', verdict.problem);
  };
}
