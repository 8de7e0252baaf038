import { errorText } from '@edge/core';
import { type KubeObject, parseApiVersion } from '@edge/kubeapi';
import type { Message } from '@edge/protocol';
import type { TokenIssuer } from './api/service-account-tokens.js';
import type { Pki } from './ca/authority.js';
import type { Cluster } from './cluster.js';
import { DeviceDownstream } from './device-controller/downstream.js';
import { DeviceUpstream } from './device-controller/upstream.js';
import type { ApiCaller } from './dynamic-controller/api-caller.js';
import { Listeners } from './dynamic-controller/listeners.js';
import { DynamicUpstream } from './dynamic-controller/upstream.js';
import { Downstream } from './edge-controller/downstream.js';
import { CLOUD_ANNOTATION } from './edge-controller/handlers/node.js';
import { OwnWrites } from './edge-controller/own-writes.js';
import { ServingCertificates } from './edge-controller/serving-certificates.js';
import { Upstream } from './edge-controller/upstream.js';
import { ApiSyncRecordStorage } from './hub/api-sync-records.js';
import { CloudHub } from './hub/cloud-hub.js';
import type { CurrentObject } from './hub/resync.js';
import { type SyncRecord, WriteBehindSyncRecords } from './hub/sync-records.js';
import { NodeJobs } from './jobs/node-jobs.js';
import { NodeTasks } from './jobs/v1alpha1/node-tasks.js';
import type { ListenAddress } from './net.js';
import { DEVICE_API } from './objects.js';
import type { ResolvedOptions } from './options.js';
import { PolicyController } from './policy-controller/policy-controller.js';
import { Router } from './router/router.js';
import { RULE_API } from './router/rules.js';

export interface CloudLinkServiceDeps {
  readonly pki: Pki;
  readonly cluster: Cluster;
  readonly tokens: TokenIssuer;
  readonly options: ResolvedOptions;
  /** What nodes are told as the cloud's address. */
  readonly cloudAddress: string;
  /** The API over HTTPS, with an administrator's rights. */
  readonly apiCaller: ApiCaller;
}

const DEVICE_GROUP = parseApiVersion(DEVICE_API).group;
/** As long as CloudCore looks for the model of a device. */
const MODEL_WAIT_MS = 10_000;

/** CloudHub and the controllers that speak to nodes (edge, device, dynamic), wired to the API. */
export class CloudLinkService {
  readonly hub: CloudHub;
  readonly #deps: CloudLinkServiceDeps;
  readonly #records: WriteBehindSyncRecords;
  readonly #downstream: Downstream;
  readonly #devices: DeviceDownstream;
  readonly #listeners: Listeners;
  readonly #policies: PolicyController | undefined;
  readonly #router: Router;
  readonly #jobs: NodeJobs | NodeTasks;

  constructor(deps: CloudLinkServiceDeps) {
    const { pki, cluster, tokens, options, cloudAddress, apiCaller } = deps;
    const log = options.log.named('cloudhub');
    const ownWrites = new OwnWrites();
    this.#deps = deps;
    this.#records = new WriteBehindSyncRecords({
      storage: new ApiSyncRecordStorage({ source: cluster.api }),
      onFailure: (error) => log.warn('what a node holds was not recorded', { err: errorText(error) }),
    });
    const upstream = new Upstream({
      clients: cluster.clients, source: cluster.api, tokens, ownWrites, serving: new ServingCertificates({ authority: pki.authority, lifeMs: options.certificateTtl }), authorize: options.authorizeNodes, authorityPem: pki.authority.certificatePem, cloudAddress, log,
      sendAgain: (node) => this.hub.sendAgain(node, ['Node', 'Pod', 'DeviceModel', 'Device']),
    });
    const reports = new DeviceUpstream({
      clients: cluster.clients, authorize: options.authorizeNodes, firstReportBug: options.firstReportBug, log: options.log.named('devicecontroller'),
    });
    this.#listeners = new Listeners({ api: cluster.api, push: (node, message) => this.hub.pushFollowed(node, message) });
    const dynamic = new DynamicUpstream({ api: apiCaller, listeners: this.#listeners, log: options.log.named('dynamiccontroller') });
    this.hub = new CloudHub({
      pki, records: this.#records, log,
      find: (record) => this.#find(record),
      handle: async (node, message, receiver) => {
        if (receiver === 'router') return void this.#router.handle(node, message);
        if (receiver === 'dynamic') return dynamic.handle(node, message);
        if (receiver === 'tasks') return this.#jobs.handle(node, message);
        return receiver === 'devices' ? reports.handle(node, message) : upstream.handle(node, message, receiver);
      },
      complete: (node) => this.#devices.complete(node),
      onConnected: (node) => {
        this.#router.connected(node);
        void this.#annotate(node).catch((error: unknown) => log.verbose(1, 'a node was not annotated', { node, err: errorText(error) }));
      },
      config: {
        keepaliveMs: options.keepaliveMs, nodeLimit: options.nodeLimit, authorize: options.authorizeNodes, resyncIntervalMs: options.resyncIntervalMs,
        retry: options.retry, maxMessageBytes: options.maxMessageBytes,
      },
    });
    const { hub } = this;
    this.#downstream = new Downstream({
      store: cluster.store, ownWrites,
      hub: {
        push: (node, message) => hub.push(node, message),
        noteOwnWrite: (node, uid, before, version) => hub.noteOwnWrite(node, uid, before, version),
        forgetNode: (node) => {
          this.#listeners.forget(node);
          hub.forgetNode(node);
        },
      },
    });
    this.#devices = new DeviceDownstream({ store: cluster.store, hub: this.hub, modelWaitMs: MODEL_WAIT_MS });
    const taskDeps = { store: cluster.store, source: cluster.api, hub: this.hub, authorize: options.authorizeNodes, log: options.log.named('taskmanager'), now: Date.now };
    this.#jobs = options.disableNodeTaskV1alpha2 ? new NodeTasks(taskDeps) : new NodeJobs(taskDeps);
    this.#router = new Router({
      store: cluster.store, rules: cluster.api.resource(RULE_API, 'rules'), push: (node, message) => hub.push(node, message),
      timeoutMs: options.ruleTimeoutMs, pauseMs: options.rulePauseMs, log: options.log.named('router'),
    });
    this.#policies = options.requireAuthorization ? new PolicyController({ store: cluster.store, source: cluster.api, clients: cluster.clients, hub: this.hub, log }) : undefined;
  }

  /** Resolves with the port. */
  async start(address: ListenAddress): Promise<number> {
    await this.#records.load();
    this.#downstream.start();
    this.#devices.start();
    this.#policies?.start();
    this.#jobs.start();
    return this.hub.listen(address);
  }

  /** Notes a report of a node job that came another way. Rejects when it is none. */
  taskReport(node: string, report: Message): Promise<undefined> {
    return this.#jobs.handle(node, report);
  }

  /** Opens the REST side of rules; resolves with the port. */
  startRouter(address: ListenAddress): Promise<number> {
    return this.#router.start(address);
  }

  async close(): Promise<void> {
    await this.#router.close();
    this.#downstream.stop();
    this.#devices.stop();
    await this.#policies?.stop();
    await this.#jobs.stop();
    this.#listeners.close();
    await this.hub.close();
    this.#deps.apiCaller.close();
    await this.#records.flush();
  }

  #find(record: SyncRecord): CurrentObject | undefined {
    const type = this.#deps.cluster.api.registry.findKind(record.apiVersion, record.kind);
    if (!type) return undefined;
    const found = this.#deps.cluster.api.resource<KubeObject>(record.apiVersion, type.plural).find(record.name, record.namespace);
    return type.group === DEVICE_GROUP ? this.#devices.current(record.node, found) : found;
  }

  /** Says on the Node which cloud it is connected to. */
  async #annotate(node: string): Promise<void> {
    const { cluster, cloudAddress } = this.#deps;
    await cluster.clients.nodes.modify(node, undefined, (copy) => {
      if (copy.metadata.annotations?.[CLOUD_ANNOTATION] === cloudAddress) return false;
      copy.metadata.annotations = { ...copy.metadata.annotations, [CLOUD_ANNOTATION]: cloudAddress };
      return undefined;
    });
  }
}
