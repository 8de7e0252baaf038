import type { Logger, MessageBus, NodeIdentity } from '@edge/core';
import type { ApiServerOptions } from '@edge/kubeapi';
import type { MetaServerConfig } from '../config.js';
import { authenticator } from './authenticate.js';
import { Authorization } from './authorize.js';
import { readPublicKeys } from './key-files.js';
import type { NodeObjects } from './node-objects.js';
import { StoredTokens } from './stored-tokens.js';
import { TokenAuthenticator } from './token-authenticator.js';

export interface GuardDeps {
  readonly config: MetaServerConfig;
  readonly bus: MessageBus;
  readonly identity: NodeIdentity;
  readonly log: Logger;
}

/** What a server asks before it answers. */
export interface Admission {
  readonly options: Required<Pick<ApiServerOptions, 'authenticate' | 'authorize'>>;
  stop(): void;
}

/** Who is there, and may he do that. */
export class Guard {
  readonly #deps: GuardDeps;

  constructor(deps: GuardDeps) {
    this.#deps = deps;
  }

  /**
   * @param clusterCa PEM of the cluster's authority as it is now
   * @throws EdgeError `config.invalid` for a key file that cannot be used
   */
  async admission(objects: NodeObjects, clusterCa: () => string | undefined): Promise<Admission> {
    const { config, bus, identity, log } = this.#deps;
    const keys = await readPublicKeys(config.keyFiles);
    const tokens = new TokenAuthenticator({ rules: config, keys, stored: new StoredTokens({ bus }), objects });
    const authorization = new Authorization({ objects, node: identity.name });
    return {
      options: { authenticate: authenticator({ tokens, clusterCa, log }), authorize: authorization.authorize },
      stop: authorization.follow(),
    };
  }
}
