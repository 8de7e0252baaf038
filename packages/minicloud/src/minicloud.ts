import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { errorText, type Logger } from '@edge/core';
import { ApiServer, type KubeApi } from '@edge/kubeapi';
import { hostPort } from '@edge/protocol';
import { openStore } from '@edge/store';
import { authorize, bearerAuthenticator, openAdminToken } from './api/authentication.js';
import { writeKubeconfig } from './api/kubeconfig.js';
import { openTokenKey, TokenIssuer } from './api/service-account-tokens.js';
import { subresourceHandlers } from './api/subresources.js';
import { openPki, type Pki } from './ca/authority.js';
import { EnrolmentServer } from './ca/https-server.js';
import { type Cluster, openCluster } from './cluster.js';
import { bindPod } from './controllers/scheduler.js';
import { CloudLinkService } from './cloud-link.js';
import { ApiCaller } from './dynamic-controller/api-caller.js';
import type { SessionInfo } from './hub/cloud-hub.js';
import { lockData } from './data-lock.js';
import { JoinToken } from './join-token.js';
import { withMetrics } from './metrics/metrics-backend.js';
import { NodeMeasurements } from './metrics/node-measurements.js';
import { readResourceMetrics } from './metrics/read-metrics.js';
import { NodeTunnels } from './tunnel/node-tunnels.js';
import { advertisedHost, certificateNames, localHost, type MinicloudOptions, resolveOptions, type ResolvedOptions } from './options.js';

/** A running cloud side. */
export interface Minicloud extends AsyncDisposable {
  /** URL of the Kubernetes API. */
  readonly url: string;
  /** `host:port` of the nodes' links. */
  readonly hubAddress: string;
  /** `host:port` for certificates. */
  readonly httpsAddress: string;
  /** `host:port` of the nodes' tunnels for logs and commands: `modules.edgeStream.server`. */
  readonly tunnelAddress: string;
  /** Where clients reach rules: `<routerUrl>/<node>/<namespace>/<path of the rule>`. */
  readonly routerUrl: string;
  /** File for `kubectl --kubeconfig`, readable by its owner only. */
  readonly kubeconfigPath: string;
  /** The token that nodes join with now. */
  token(): string;
  /** The API without HTTP. */
  readonly api: KubeApi;
  readonly hub: {
    readonly sessions: readonly SessionInfo[];
    /** Ends a node's link. False: it had none. */
    dropSession(node: string): boolean;
  };
  /** Stops everything; what was acknowledged is on the disk. Repeating gives the same promise. */
  close(): Promise<void>;
}

const API_VERSION = { gitVersion: 'v1.32.10-minicloud', major: '1', minor: '32' };

/**
 * Starts a cloud side in this process. Several may run side by side when their folders differ.
 * @throws EdgeError `minicloud.listen-failed`, `minicloud.data-in-use`, `minicloud.authority-unreadable`, or the store's errors
 */
export async function startMinicloud(given: MinicloudOptions): Promise<Minicloud> {
  const options = resolveOptions(given);
  const opened: (() => unknown)[] = [];
  try {
    return await start(options, opened);
  } catch (error) {
    for (const close of opened.reverse()) await close();
    throw error;
  }
}

async function start(options: ResolvedOptions, opened: (() => unknown)[]): Promise<Minicloud> {
  const { dataDir, log, host } = options;
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const lock = await lockData(dataDir);
  opened.push(() => lock[Symbol.asyncDispose]());
  const [pki, database] = await Promise.all([
    openPki({ folder: join(dataDir, 'pki'), names: certificateNames(options), serverLifeMs: SERVER_LIFE_MS }),
    openStore({ path: join(dataDir, 'minicloud.db'), log: log.named('store') }),
  ]);
  opened.push(() => database[Symbol.asyncDispose]());
  const cluster = await openCluster({ database, authorityPem: pki.authority.certificatePem, ...options, log: log.named('controllers') });
  opened.push(() => cluster.stop());
  const tokens = new TokenIssuer({ key: await openTokenKey(join(dataDir, 'pki', 'sa.key')), clients: cluster.clients });
  const joinToken = new JoinToken({
    authority: pki.authority, ttlMs: options.tokenTtl, secrets: cluster.clients.secrets,
    onFailure: (error) => log.warn('the join token was not published', { err: errorText(error) }),
  });
  opened.push(() => joinToken.stop());
  const enrolment = new EnrolmentServer({
    pki, certificateTtlMs: options.certificateTtl, nodeExists: (name) => cluster.clients.nodes.find(name) !== undefined, onTaskReport: (node, report) => link.taskReport(node, report), log: log.named('enrolment'),
  });
  opened.push(() => enrolment.close());
  const tunnels = new NodeTunnels({ pki, authorize: options.authorizeNodes, log: log.named('tunnel') });
  opened.push(() => tunnels.close());
  const { server, kubeconfigPath, adminToken } = await openApi({ options, pki, cluster, tokens, tunnels });
  opened.push(() => server.close());
  let localUrl = '';
  const apiCaller = new ApiCaller({ url: () => localUrl, authorityPem: pki.authority.certificatePem, token: adminToken });
  const link = new CloudLinkService({ pki, cluster, tokens, options, cloudAddress: advertisedHost(options), apiCaller });
  opened.push(() => link.close());

  const apiPort = await server.listen({ host, port: options.apiPort }).then(({ port }) => port);
  localUrl = `https://${hostPort(localHost(host), apiPort)}`;
  const httpsPort = await enrolment.listen({ host, port: options.httpsPort });
  const hubPort = await link.start({ host, port: options.hubPort });
  const tunnelPort = await tunnels.listen({ host, port: options.tunnelPort });
  const routerPort = await link.startRouter({ host, port: options.routerPort });
  cluster.startControllers();
  await joinToken.publish();
  const shown = advertisedHost(options);
  const url = `https://${hostPort(shown, apiPort)}`;
  await writeKubeconfig(kubeconfigPath, { server: url, authorityPem: pki.authority.certificatePem, token: adminToken });

  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => (closed ??= closeAll(opened, log));
  return {
    url, hubAddress: hostPort(shown, hubPort), httpsAddress: hostPort(shown, httpsPort), tunnelAddress: hostPort(shown, tunnelPort), routerUrl: `http://${hostPort(shown, routerPort)}`, kubeconfigPath,
    token: () => joinToken.get(), api: cluster.api, hub: link.hub, close, [Symbol.asyncDispose]: close,
  };
}

/** The server renews its certificate only when it starts, so it lasts longer than any process runs. */
const SERVER_LIFE_MS = 10 * 365 * 86_400_000;

interface ApiParts {
  readonly options: ResolvedOptions;
  readonly pki: Pki;
  readonly cluster: Cluster;
  readonly tokens: TokenIssuer;
  readonly tunnels: NodeTunnels;
}

async function openApi({ options, pki, cluster, tokens, tunnels }: ApiParts): Promise<{ server: ApiServer; kubeconfigPath: string; adminToken: string }> {
  const { dataDir, log } = options;
  const adminToken = await openAdminToken(join(dataDir, 'pki', 'admin.token'));
  const measurements = new NodeMeasurements({
    read: (node, signal) => readResourceMetrics(tunnels, node, signal), now: Date.now, pause: (milliseconds, signal) => pause(milliseconds, undefined, { signal }),
  });
  const server = new ApiServer({
    backend: withMetrics(cluster.api, { clients: cluster.clients, measurements }), registry: cluster.api.registry,
    subresources: subresourceHandlers({ clients: cluster.clients, tokens, tunnels, bind: (pod, node) => bindPod({ clients: cluster.clients, now: Date.now }, pod, node) }),
    options: {
      authenticate: bearerAuthenticator(adminToken, tokens), authorize, version: API_VERSION,
      tls: { key: pki.server.privateKeyPem, cert: pki.server.certificatePem },
      onInternalError: (error, { method, path }) => log.error('the API failed', { method, path, err: errorText(error) }),
    },
  });
  return { server, adminToken, kubeconfigPath: join(dataDir, 'kubeconfig') };
}

/** Closes in reverse order; one failure does not keep the rest open. */
async function closeAll(opened: (() => unknown)[], log: Logger): Promise<void> {
  for (const close of opened.splice(0).reverse()) {
    try {
      await close();
    } catch (error) {
      log.warn('a part did not close cleanly', { err: errorText(error) });
    }
  }
}
