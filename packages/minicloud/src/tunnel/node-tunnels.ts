import type { Logger } from '@edge/core';
import { ApiError } from '@edge/kubeapi';
import type { ConnectRequest } from '@edge/protocol';
import { Tunnel, TunnelListener, type SessionKind, type TunnelCaller, type TunnelSession, type Wire } from '@edge/tunnel';
import type { Pki } from '../ca/authority.js';
import { listen, type ListenAddress } from '../net.js';

/** Nodes ask for signs of life every 5 s. */
const SILENCE = { first: 30_000, later: 30_000 };

export interface NodeTunnelsDeps {
  readonly pki: Pki;
  /** Whether the certificate must be the node's own. */
  readonly authorize: boolean;
  readonly log: Logger;
}

/** TunnelServer: the nodes' tunnels, and sessions through them. */
export class NodeTunnels {
  readonly #deps: NodeTunnelsDeps;
  readonly #listener: TunnelListener;
  readonly #tunnels = new Map<string, Tunnel>();
  #lastId = 0;

  constructor(deps: NodeTunnelsDeps) {
    const { server, authority } = deps.pki;
    this.#deps = deps;
    this.#listener = new TunnelListener({
      tls: { cert: server.certificatePem, key: server.privateKeyPem, ca: authority.certificatePem },
      refuse: (caller) => this.#refuse(caller),
      onWire: (caller, wire) => this.#accept(caller, wire),
      onRefused: (why) => deps.log.verbose(1, 'refused a tunnel', { why }),
    });
  }

  /** Resolves with the port. */
  listen(address: ListenAddress): Promise<number> {
    return listen(this.#listener.server, address, "the nodes' tunnels");
  }

  /**
   * Begins a session with a node's kubelet API.
   * @throws ApiError ServiceUnavailable when the node has no tunnel
   */
  open(node: string, kind: SessionKind, request: Omit<ConnectRequest, 'id'>): TunnelSession {
    const tunnel = this.#tunnels.get(node);
    if (!tunnel) {
      throw new ApiError('ServiceUnavailable', `node "${node}" has no tunnel to this cloud, so there are no logs and no commands: is it connected, and is modules.edgeStream.enable true in its edgecore.yaml?`);
    }
    this.#lastId += 1;
    return tunnel.open(kind, { id: this.#lastId, ...request });
  }

  async close(): Promise<void> {
    for (const tunnel of this.#tunnels.values()) tunnel.close('the cloud is shutting down');
    await this.#listener.close();
  }

  #refuse({ nodeName, commonName }: TunnelCaller): string | undefined {
    if (!this.#deps.authorize || commonName === `system:node:${nodeName}`) return undefined;
    return `the certificate belongs to "${commonName}", the tunnel was asked for by node "${nodeName}"`;
  }

  #accept({ nodeName }: TunnelCaller, wire: Wire): void {
    const { log } = this.#deps;
    const tunnel = new Tunnel({ wire, silence: SILENCE, onGarbage: (what) => log.verbose(1, 'something odd came through a tunnel', { node: nodeName, what }) });
    // The last one wins; sessions of the one before go on to their end, as with CloudCore.
    this.#tunnels.set(nodeName, tunnel);
    log.info('a node opened its tunnel', { node: nodeName });
    void tunnel.ended.then((reason) => {
      if (this.#tunnels.get(nodeName) === tunnel) this.#tunnels.delete(nodeName);
      log.info('a tunnel ended', { node: nodeName, reason });
    });
  }
}
