import { silentLogger, type Logger } from '@edge/core';
import { hostname } from 'node:os';
import { DEFAULT_RETRY, type RetryPolicy } from './hub/ack-sender.js';

/** How to start a cloud side. Times in milliseconds; port 0 takes any free one. */
export interface MinicloudOptions {
  /** Folder for the database, the certificates and the kubeconfig; made when it is missing. */
  readonly dataDir: string;
  /** Address to listen on; 127.0.0.1 unless given. */
  readonly host?: string;
  /** Port of the nodes' links (CloudHub's 10000). */
  readonly hubPort?: number;
  /** Port for certificates (CloudHub's 10002). */
  readonly httpsPort?: number;
  /** Port of the nodes' tunnels for logs and commands (CloudStream's 10004). */
  readonly tunnelPort?: number;
  /** Port of the Kubernetes API. */
  readonly apiPort?: number;
  /** Further names and addresses that nodes and users dial; they go into the server certificate. The first one is shown to them. */
  readonly names?: readonly string[];
  readonly log?: Logger;
  /** Life of a join token; a new one is made after half of it. */
  readonly tokenTtl?: number;
  /** Life of a node's certificate. */
  readonly certificateTtl?: number;
  /** How often nodes are brought up to date with what they missed. */
  readonly resyncIntervalMs?: number;
  /** A link without keepalive for so long ends. */
  readonly keepaliveMs?: number;
  readonly nodeLimit?: number;
  /** False: a node may connect with the certificate of another one and write others' objects, as with CloudCore's defaults. */
  readonly authorizeNodes?: boolean;
  /** True: nodes are told what the service accounts of their pods may do, as by CloudCore with that feature gate. */
  readonly requireAuthorization?: boolean;
  /** True: node jobs are those of v1alpha1, as with CloudCore's feature gate of that name. */
  readonly disableNodeTaskV1alpha2?: boolean;
  readonly retry?: RetryPolicy;
  /** Bytes that one message of a node may have. */
  readonly maxMessageBytes?: number;
  /** A node without lease renewal for so long is not ready. */
  readonly nodeGraceMs?: number;
  /** A pod that is to end on a node that is not heard of is removed after so long. */
  readonly goneMs?: number;
  readonly eventTtlMs?: number;
  /** True: the first report of each property of a device is lost and not answered, as CloudCore v1.23 does. For tests of agents. */
  readonly firstReportBug?: boolean;
  /** Port of the REST side of rules (CloudCore's 9443): plain HTTP without a password. */
  readonly routerPort?: number;
  /** How long a rule waits for a service on a node, or for an application. */
  readonly ruleTimeoutMs?: number;
  /** Between the three attempts of a request for a rule. */
  readonly rulePauseMs?: number;
}

export type ResolvedOptions = Required<MinicloudOptions>;

const HOUR = 3_600_000;

export function resolveOptions(options: MinicloudOptions): ResolvedOptions {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as unknown as MinicloudOptions;
  return {
    host: '127.0.0.1', hubPort: 0, httpsPort: 0, tunnelPort: 0, apiPort: 0, names: [], log: silentLogger,
    tokenTtl: 24 * HOUR, certificateTtl: 365 * 24 * HOUR, resyncIntervalMs: 5000, keepaliveMs: 30_000, nodeLimit: 500,
    authorizeNodes: true, requireAuthorization: false, disableNodeTaskV1alpha2: false, retry: DEFAULT_RETRY, maxMessageBytes: 32 * 1024 * 1024, nodeGraceMs: 40_000, goneMs: 600_000, eventTtlMs: HOUR, firstReportBug: false,
    routerPort: 0, ruleTimeoutMs: 60_000, rulePauseMs: 1000,
    ...given,
  };
}

/** Host that others dial: the first name given, else the address itself, else the host name when listening everywhere. */
export function advertisedHost({ host, names }: ResolvedOptions): string {
  if (names[0] !== undefined) return names[0];
  return host === '0.0.0.0' || host === '::' ? hostname() : host;
}

/** Where a port that listens on `host` is reached from this process. */
export function localHost(host: string): string {
  return host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
}

/** All that the server certificate has to be good for. */
export function certificateNames(options: ResolvedOptions): string[] {
  const own = options.host === '0.0.0.0' || options.host === '::' ? [] : [options.host];
  return [...new Set([advertisedHost(options), ...options.names, ...own, '127.0.0.1', '::1', 'localhost', 'kubernetes.default.svc', 'kubernetes.default'])];
}
