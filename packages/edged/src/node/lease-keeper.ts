import { errorText, isAbort, type CloudLink, type Logger } from '@edge/core';
import { LEASE_NAMESPACE, Operations, readObjectResponse, ResourceTypes, type Lease, type ObjectResponse } from '@edge/protocol';
import type { MetaClient } from '../apply/meta-client.js';
import { leaseBody, renewalPause } from '../plan/lease.js';
import type { NodeKnown } from './node-known.js';
import { pauseUnlessNewSession } from './session.js';

export interface LeaseKeeperDeps {
  readonly meta: MetaClient;
  readonly link: CloudLink;
  readonly known: NodeKnown;
  readonly nodeName: string;
  readonly durationSeconds: number;
  /** Called when the lease was renewed after so long that the cloud may have given the node up. */
  readonly onAway: () => void;
  readonly log: Logger;
}

/** Renews the node's lease, the sign of life that keeps the node Ready in the cloud. */
export class LeaseKeeper {
  readonly #deps: LeaseKeeperDeps;
  readonly #resource: string;
  #lease: Lease | undefined;

  constructor(deps: LeaseKeeperDeps) {
    this.#deps = deps;
    this.#resource = `${LEASE_NAMESPACE}/${ResourceTypes.lease}/${deps.nodeName}`;
  }

  /** Runs until the signal aborts: at once in each new session, then every quarter of the lease's duration. */
  async run(signal: AbortSignal): Promise<void> {
    const { link, durationSeconds, log } = this.#deps;
    while (!signal.aborted) {
      await link.until(({ connected }) => connected, signal);
      const { session } = link.value;
      const renewed = await this.#renew(signal).catch((error: unknown) => {
        if (isAbort(error)) throw error;
        log.verbose(1, 'lease not renewed, tried again soon', { err: errorText(error) });
        return false;
      });
      // An unsuccessful round is repeated sooner, but never in a hurry.
      const pause = renewalPause(durationSeconds, Math.random());
      await pauseUnlessNewSession(link, session, renewed ? pause : Math.min(pause, 2_000), signal);
    }
  }

  async #renew(signal: AbortSignal, again = false): Promise<boolean> {
    if (this.#lease === undefined) {
      const found = await this.#ask(Operations.query, null, signal);
      if (found.error !== undefined && found.error.reason !== 'NotFound') {
        this.#deps.log.verbose(1, 'lease cannot be read', { err: found.error.message });
        return false;
      }
      if (found.object === undefined) return this.#create(signal);
      this.#lease = found.object;
    }
    const renewedBefore = Date.parse(this.#lease.spec.renewTime ?? '');
    const { object, error } = await this.#ask(Operations.update, this.#body(), signal);
    this.#lease = object;
    if (!error) {
      // Three quarters of the duration, because clocks differ.
      if (Date.now() - renewedBefore > this.#deps.durationSeconds * 750) this.#deps.onAway();
      return true;
    }
    this.#deps.log.verbose(1, 'lease update refused', { reason: error.reason ?? '', err: error.message });
    if (error.reason !== 'Conflict' || again) return false;
    // Somebody else wrote it, or an answer was lost: with the present version it works.
    return this.#renew(signal, true);
  }

  async #create(signal: AbortSignal): Promise<boolean> {
    // A lease without an owner would outlive a deleted node.
    await this.#deps.known.cell.until((node) => node !== undefined, signal);
    const { object, error } = await this.#ask(Operations.insert, this.#body(), signal);
    this.#lease = object;
    if (error) this.#deps.log.warn('lease cannot be created', { reason: error.reason ?? '', err: error.message });
    return object !== undefined;
  }

  #body(): Lease {
    const { nodeName, durationSeconds, known } = this.#deps;
    return leaseBody({ nodeName, durationSeconds, known: this.#lease, node: known.value, now: Date.now() });
  }

  async #ask(operation: string, content: unknown, signal: AbortSignal): Promise<ObjectResponse<Lease>> {
    const answer = await this.#deps.meta.request(operation, this.#resource, content, signal);
    // From the store, when the link went down in between.
    if (Array.isArray(answer)) return typeof answer[0] === 'string' ? { object: JSON.parse(answer[0]) as Lease } : notThere;
    return readObjectResponse<Lease>(answer);
  }
}

const notThere: ObjectResponse<Lease> = { error: { status: 'Failure', reason: 'NotFound', message: 'there is no lease', code: 404 } };
