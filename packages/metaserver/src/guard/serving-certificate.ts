import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { Complaints, createCell, errorText, isAbort, sleep, type Cell, type Logger } from '@edge/core';
import { servingNames, type MetaServerConfig } from '../config.js';
import type { CertificateFiles, ServingPair } from './certificate-files.js';
import type { CloudCertificates } from './cloud-certificates.js';

export interface ServingCertificateDeps {
  readonly files: CertificateFiles;
  readonly cloud: Pick<CloudCertificates, 'isConnected' | 'connected' | 'authority' | 'certify'>;
  readonly config: MetaServerConfig;
  readonly log: Logger;
  readonly now?: () => number;
  /** Milliseconds between two tries; one minute unless given. */
  readonly retryMs?: number;
}

/** What connections are served with. */
export interface Serving {
  readonly pair: ServingPair;
  /** PEM of the cluster's authority. */
  readonly clusterCa: string;
}

const RETRY_MS = 60_000;
/** The clock is looked at this often: it may be set while we wait. */
const LOOK_MS = 60_000;

/** The certificate of the local API: from the files, from the cloud, renewed in time. Never gives up. [metaserver-22] */
export class ServingCertificate {
  readonly #deps: ServingCertificateDeps;
  readonly #now: () => number;
  readonly #complaints = new Complaints();
  readonly #serving = createCell<Serving | undefined>(undefined);
  /** Drawn once: a fleet that was set up together does not renew together. */
  readonly #luck = Math.random();

  constructor(deps: ServingCertificateDeps) {
    this.#deps = deps;
    this.#now = deps.now ?? Date.now;
  }

  /** Undefined until there is one. */
  get serving(): Cell<Serving | undefined> {
    return this.#serving;
  }

  /** Keeps it there and fresh until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const due = this.#dueAt();
        if (this.#now() >= due) await this.#renew(signal);
        this.#complaints.clear();
        await sleep(Math.min(LOOK_MS, Math.max(1, this.#dueAt() - this.#now())), signal);
      } catch (error) {
        if (signal.aborted || isAbort(error)) return;
        this.#complain(error);
        await sleep(this.#deps.retryMs ?? RETRY_MS, signal).catch(() => undefined);
      }
    }
  }

  /** After 70 to 90 % of its life, as upstream. */
  #dueAt(): number {
    const pair = this.#serving.value?.pair;
    return pair === undefined || !isGoodFor(pair, servingNames(this.#deps.config)) ? 0 : pair.notBefore + (pair.notAfter - pair.notBefore) * (0.7 + 0.2 * this.#luck);
  }

  /** Takes what is stored, so that the API serves without the cloud. */
  async load(): Promise<void> {
    const { files } = this.#deps;
    try {
      const [pair, clusterCa] = [await files.read(), await files.readAuthority()];
      // One that has ended is still better than a closed port: clocks may be wrong, and clients decide for themselves.
      if (pair && clusterCa !== undefined) this.#serving.set({ pair, clusterCa });
    } catch (error) {
      this.#complain(error);
    }
  }

  async #renew(signal: AbortSignal): Promise<void> {
    const { files, cloud, log } = this.#deps;
    if (!cloud.isConnected) {
      this.#complain('the node is not connected to the cloud');
      await cloud.connected(signal);
    }
    const clusterCa = await cloud.authority(signal);
    await files.writeAuthority(clusterCa);
    const pair = await cloud.certify(signal);
    await files.write(pair, this.#now());
    this.#serving.set({ pair, clusterCa });
    log.info('the local API has a new serving certificate', { notAfter: new Date(pair.notAfter).toISOString() });
  }

  #complain(error: unknown): void {
    const text = errorText(error);
    const { value } = this.#serving;
    const effect = value === undefined ? 'the local API cannot serve yet' : `the present one ends at ${new Date(value.pair.notAfter).toISOString()}`;
    if (this.#complaints.passes(text)) this.#deps.log.warn(`no new serving certificate for the local API; ${effect}`, { err: text });
  }
}

/** False after the configured addresses have changed. */
function isGoodFor({ certificate }: ServingPair, names: readonly string[]): boolean {
  const read = new X509Certificate(certificate);
  return names.every((name) => (isIP(name) === 0 ? read.checkHost(name) : read.checkIP(name)) !== undefined);
}
