/** One address that serves a port of a service. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
  readonly nodeName?: string;
  /** It takes new connections. */
  readonly ready: boolean;
  /** It answers, ready or on its way out: the last resort when no endpoint is ready. */
  readonly serving?: boolean;
  readonly terminating?: boolean;
  readonly hostname?: string;
  readonly zone?: string;
}

export interface ServicePort {
  readonly name?: string;
  readonly protocol: 'TCP' | 'UDP';
  readonly port: number;
  readonly appProtocol?: string;
  /** Each address and port once, ready or not. Of both address families where the service has both. */
  readonly endpoints: readonly Endpoint[];
}

/** An address behind a headless service, with or without ports. */
export type Host = Omit<Endpoint, 'port'>;

/** A service as the node knows it. */
export interface MeshService {
  readonly namespace: string;
  readonly name: string;
  /** At most one of each address family; none for a headless service and for one that is a name elsewhere. */
  readonly clusterIPs: readonly string[];
  readonly headless: boolean;
  /** The name that this one stands for. */
  readonly externalName?: string;
  readonly ports: readonly ServicePort[];
  /** Addresses of a headless service; empty for all others. */
  readonly hosts: readonly Host[];
  /** Clients keep their endpoint until they are silent for so long; undefined: they need not. */
  readonly sessionAffinitySeconds?: number;
  /** The service names another proxy (label `service.kubernetes.io/service-proxy-name` or EdgeMesh's): it has a name here, but no way. */
  readonly foreignProxy: boolean;
  /** Only endpoints of this node (`internalTrafficPolicy: Local`). */
  readonly localOnly: boolean;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface ServiceName {
  readonly namespace: string;
  readonly name: string;
}

/** The services that the node knows, online and offline. What it gives out never changes; a changed service is another object. */
export interface ServiceTable {
  get(namespace: string, name: string): MeshService | undefined;
  /** The service with that cluster address, however it is written. */
  byAddress(address: string): MeshService | undefined;
  all(): Iterable<MeshService>;
  readonly changes: {
    /** Calls with the names of the services that changed, came or went, after the table shows it. Disposing ends it. */
    subscribe(listener: (changed: readonly ServiceName[]) => void): Disposable;
  };
}
