import { errorCode, errorText, isAbort, sleep, type Logger } from '@edge/core';
import { edgedError } from '../errors.js';
import { admitAll, admitBearer, apiToken } from './access.js';
import { HttpServer } from './http-server.js';
import { isLoopback } from './loopback.js';
import type { ApiRoute } from './router.js';

/** Between tries to listen: the port may be free, or the address there, a moment later. */
const RETRY_MS = 10_000;
const SECTION = 'modules.edged.tailoredKubeletConfig';

export interface KubeletApiConfig {
  readonly address: string;
  /** 0: no API at all. */
  readonly port: number;
  /** `open` as upstream; `token`: only who shows the token of the file. */
  readonly auth: 'open' | 'token';
  readonly tokenFile: string;
  readonly streamIdleMs: number;
}

/** Where other modules of this node reach the API. */
export interface KubeletEndpoint {
  readonly host: string;
  readonly port: number;
  /** To be shown as `Authorization: Bearer …`; absent where the API asks for none. */
  readonly token?: string;
}

export interface KubeletApiDeps {
  readonly config: KubeletApiConfig;
  readonly routes: readonly ApiRoute[];
  readonly count: (method: string, pathname: string, status: number) => void;
  readonly log: Logger;
  /** Between tries; 10 s unless given. */
  readonly retryMs?: number;
}

/** The local kubelet API: listens as configured, and when that is not possible goes on trying while the agent works without it. */
export class KubeletApi {
  readonly #deps: KubeletApiDeps;
  #endpoint: KubeletEndpoint | undefined;

  constructor(deps: KubeletApiDeps) {
    this.#deps = deps;
  }

  /** @throws EdgeError `edged.no-api` when it is switched off, or cannot listen now */
  get endpoint(): KubeletEndpoint {
    if (this.#endpoint) return this.#endpoint;
    const { config } = this.#deps;
    throw edgedError('edged.no-api', config.port === 0 ? `the local kubelet API is switched off (${SECTION}.readOnlyPort is 0)` : `the local kubelet API of this node is not served now (${config.address}:${config.port})`);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { config, log, retryMs = RETRY_MS } = this.#deps;
    if (config.port === 0) return;
    this.#warnOfOpenDoors();
    let told = '';
    while (!signal.aborted) {
      try {
        await this.#serve(signal);
      } catch (error) {
        if (isAbort(error)) return;
        const why = explain(error, config);
        if (why !== told) log.error('the local kubelet API is not served: logs, exec and metrics of this node do not work; tried again', { why });
        told = why;
        await sleep(retryMs, signal).catch(() => undefined);
      }
    }
  }

  async #serve(signal: AbortSignal): Promise<void> {
    const { config, routes, count, log } = this.#deps;
    const token = config.auth === 'token' ? await apiToken(config.tokenFile) : undefined;
    const server = new HttpServer({ routes, admit: token === undefined ? admitAll : admitBearer(token), count, streamIdleMs: config.streamIdleMs });
    try {
      await server.run(config.address, config.port, signal, (port) => {
        this.#endpoint = { host: reachable(config.address), port, ...(token === undefined ? {} : { token }) };
        log.info('the local kubelet API is served', { address: config.address, port });
      });
    } finally {
      this.#endpoint = undefined;
    }
  }

  #warnOfOpenDoors(): void {
    const { config, log } = this.#deps;
    if (isLoopback(config.address)) return;
    log.warn(
      config.auth === 'open'
        ? `${SECTION}.address is not a loopback address and edge.kubeletApi.auth is open: whoever reaches this port may run commands in every container`
        : `${SECTION}.address is not a loopback address: the token of the local kubelet API and all its streams go over the network unencrypted`,
      { address: config.address },
    );
  }
}

/** Who listens on all addresses is reached on the loopback. */
function reachable(address: string): string {
  if (address === '' || address === '0.0.0.0') return '127.0.0.1';
  return address === '::' ? '::1' : address;
}

function explain(error: unknown, { address, port }: KubeletApiConfig): string {
  switch (errorCode(error)) {
    case 'EADDRINUSE':
      return `port ${port} on ${address} is taken by another process (another kubelet or EdgeCore?): end it or change ${SECTION}.readOnlyPort`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `this machine has no address ${address}: change ${SECTION}.address`;
    case 'EACCES':
      return `this user may not listen on port ${port}: change ${SECTION}.readOnlyPort`;
    default:
      return errorText(error);
  }
}
