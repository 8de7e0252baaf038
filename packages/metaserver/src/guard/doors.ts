import { readFile } from 'node:fs/promises';
import { Complaints, errorText, sleep, untilAborted, type FeatureGates, type Logger } from '@edge/core';
import type { ApiServer, ApiServerOptions, TlsSettings } from '@edge/kubeapi';
import { listenOn } from '../api/listen.js';
import { addressText, CONFIG_PATH, isLoopback, type Address, type MetaServerConfig } from '../config.js';
import { metaServerError } from '../errors.js';
import { authoritiesIn } from './certificate-files.js';
import type { DummyLink } from './dummy-link.js';
import type { Guard } from './guard.js';
import type { NodeObjects } from './node-objects.js';
import type { Serving, ServingCertificate } from './serving-certificate.js';

export interface DoorsDeps {
  readonly config: MetaServerConfig;
  readonly gates: FeatureGates;
  readonly guard: Guard;
  readonly certificate: ServingCertificate;
  readonly link: DummyLink;
  readonly log: Logger;
}

/** Makes a server for one address. */
export type MakeServer = (options: Pick<ApiServerOptions, 'tls' | 'authenticate' | 'authorize'>) => ApiServer;

export interface DoorsContext {
  readonly make: MakeServer;
  readonly objects: NodeObjects;
  readonly signal: AbortSignal;
  /** Called when it listens, and before, with 0, when it cannot before the cloud has given a certificate. */
  readonly ready: (port: number) => void;
}

export const GATE = 'requireAuthorization';
const AGAIN_MS = 30_000;

/** Where and how the API is served: plainly on the loopback, or with TLS for those who may. [metaserver-22] */
export class Doors {
  readonly #deps: DoorsDeps;
  readonly #complaints = new Complaints();

  constructor(deps: DoorsDeps) {
    this.#deps = deps;
  }

  /**
   * Serves until the signal aborts.
   * @throws EdgeError `metaserver.open-port`, `metaserver.listen-failed`, `config.invalid`
   */
  run(context: DoorsContext): Promise<void> {
    return this.#deps.gates.enabled(GATE) ? this.#guarded(context) : this.#open(context);
  }

  async #open({ make, signal, ready }: DoorsContext): Promise<void> {
    const { server: address } = this.#deps.config;
    if (!isLoopback(address.host)) {
      throw metaServerError('metaserver.open-port', `${CONFIG_PATH}.server is ${addressText(address)}, where others than this machine could reach it, and nobody is asked who he is: `
        + `set it to 127.0.0.1:${address.port}, or set featureGates.${GATE} to true`);
    }
    const server = make({});
    try {
      ready(await this.#listen(server, address, 'http'));
      await untilAborted(signal);
    } finally {
      await server.close();
    }
  }

  async #guarded({ make, objects, signal, ready }: DoorsContext): Promise<void> {
    const { config, guard, certificate } = this.#deps;
    await certificate.load();
    const admission = await guard.admission(objects, () => certificate.serving.value?.clusterCa);
    // Its own end, so that a port that cannot be opened does not leave the others running.
    const ended = new AbortController();
    const both = AbortSignal.any([signal, ended.signal]);
    const renewing = certificate.run(both);
    try {
      // The agent must not wait for a cloud that may be away for long.
      if (certificate.serving.value === undefined) ready(0);
      const first = await certificate.serving.until((serving) => serving !== undefined, signal).catch(() => undefined);
      if (first === undefined) return;
      const tls = await this.#tls(first);
      const main = make({ ...admission.options, tls });
      const dummy = make({ ...admission.options, tls });
      const renewal = certificate.serving.subscribe((serving) => void this.#show(serving, [main, dummy]).catch((error: unknown) => {
        // The one before stays; nothing waits for this, and it must not end the agent.
        this.#deps.log.error('the local API goes on with the certificate before', { err: errorText(error) });
      }));
      try {
        ready(await this.#listen(main, config.server, 'https'));
        await this.#serveDummy(dummy, both);
      } finally {
        renewal[Symbol.dispose]();
        await Promise.all([main.close(), dummy.close()]);
      }
    } finally {
      ended.abort();
      admission.stop();
      await renewing;
    }
  }

  /** The rest goes on without the address for pods; it may become possible later. */
  async #serveDummy(server: ApiServer, signal: AbortSignal): Promise<void> {
    const { config, link, log } = this.#deps;
    try {
      while (!signal.aborted) {
        try {
          await link.setUp(config.dummyServer.host);
          await this.#listen(server, config.dummyServer, 'https');
          return await untilAborted(signal);
        } catch (error) {
          const err = errorText(error);
          if (this.#complaints.passes(err)) log.error('pods do not reach the local API under its own address', { address: addressText(config.dummyServer), err });
        }
        await sleep(AGAIN_MS, signal).catch(() => undefined);
      }
    } finally {
      await link.takeDown().catch((error: unknown) => log.warn('the link for pods stays behind', { err: errorText(error) }));
    }
  }

  async #listen(server: ApiServer, address: Address, scheme: 'http' | 'https'): Promise<number> {
    const bound = await listenOn(server, address);
    this.#deps.log.info('the local API listens', { address: addressText(bound), scheme });
    return bound.port;
  }

  async #show(serving: Serving | undefined, servers: readonly ApiServer[]): Promise<void> {
    if (serving === undefined) return;
    const tls = await this.#tls(serving);
    for (const server of servers) server.useTls(tls);
  }

  /** Clients may have certificates of the cluster's authority or of the one that made the node's. */
  async #tls({ pair, clusterCa }: Serving): Promise<TlsSettings> {
    const { log, config: { tlsCaFile } } = this.#deps;
    const own = await readFile(tlsCaFile, 'utf8').then(authoritiesIn).catch((error: unknown) => {
      log.warn('clients with certificates of the node\'s own authority are not known', { file: tlsCaFile, err: errorText(error) });
      return '';
    });
    return { key: pair.privateKey, cert: pair.certificate, clientCa: `${clusterCa}\n${own}` };
  }
}
