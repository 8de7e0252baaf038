import { token, type Token } from '@edge/core';
import type { EdgeHub } from './edgehub.js';

/** The join token where it is kept, usually the configuration file. Bound by the program. */
export interface TokenStore {
  /** Empties the token after enrolment: it has served its purpose and must not lie about. */
  forgetToken(): Promise<void>;
  /** The token as it stands there now, `''` when none. Asked while there is nothing else to try, so that a corrected token works without a restart. */
  readToken?(): Promise<string>;
}

export const TokenStore: Token<TokenStore> = token<TokenStore>('edgehub', 'TokenStore');

export const EdgeHubEntry: Token<EdgeHub> = token<EdgeHub>('edgehub', 'EdgeHub');
