import type { CloudLink } from '@edge/core';
import { formatResource, ResourceTypes, type ResourcePath } from '@edge/protocol';

/** Types that are read from the database first; only of these it matters whether they are true still. */
const FOLLOWED = new Set<string>([ResourceTypes.configMap, ResourceTypes.secret]);

/** Which objects the cloud has spoken of in the present session; what was missed before is not among them. */
export class Freshness {
  readonly #link: CloudLink;
  readonly #confirmed = new Set<string>();
  #session = -1;

  constructor(deps: { link: CloudLink }) {
    this.#link = deps.link;
  }

  confirm(path: ResourcePath): void {
    this.#follow();
    if (FOLLOWED.has(path.type)) this.#confirmed.add(formatResource(path));
  }

  isConfirmed(path: ResourcePath): boolean {
    this.#follow();
    return this.#confirmed.has(formatResource(path));
  }

  #follow(): void {
    const { session } = this.#link.value;
    if (session === this.#session) return;
    this.#session = session;
    this.#confirmed.clear();
  }
}
