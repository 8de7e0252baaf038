import { isAbort, type CloudLink } from '@edge/core';
import { isApiError, type ResourceType } from '@edge/kubeapi';
import type { TypeCatalog } from '../types/catalog.js';
import type { Follower } from './follower.js';

const SERVICES = { group: '', version: 'v1', resource: 'services' };
const SLICES = { group: 'discovery.k8s.io', version: 'v1', resource: 'endpointslices' };
const ENDPOINTS = { group: '', version: 'v1', resource: 'endpoints' };

/**
 * Follows what the mesh on this node needs, from the first link on and as long as the module runs: the cloud knows one set of
 * listeners per node, so one module looks after it. The mesh gets the objects from metamanager. Never rejects. [metaserver-36]
 */
export class MeshData {
  readonly #follower: Follower;
  readonly #catalog: TypeCatalog;
  readonly #link: CloudLink;

  constructor(deps: { follower: Follower; catalog: TypeCatalog; link: CloudLink }) {
    this.#follower = deps.follower;
    this.#catalog = deps.catalog;
    this.#link = deps.link;
  }

  async run(signal: AbortSignal): Promise<void> {
    try {
      await this.#link.until(({ connected }) => connected, signal);
    } catch (error) {
      if (isAbort(error)) return;
      throw error;
    }
    await Promise.all([this.#follow(SERVICES), this.#follow(SLICES).then((isThere) => (isThere ? undefined : this.#follow(ENDPOINTS)))]);
  }

  /** @returns false when the cloud has no such kind; the follower says and tries again whatever else keeps it from being followed */
  async #follow(ref: typeof SERVICES): Promise<boolean> {
    const type = this.#catalog.registry.find(ref) as ResourceType;
    try {
      await this.#follower.hold({ type, ref, fields: new Map() }).ready;
      return true;
    } catch (error) {
      return !isApiError(error, 'NotFound');
    }
  }
}
