import { token, type Life, type Runnable, type Token } from '@edge/core';
import type { Cloud } from './cloud.js';
import type { LocalApiHandler } from './feed/local-api.js';
import type { DeviceEditHandler } from './handlers/device-edit.js';
import type { DeviceStoreHandler } from './handlers/device-store.js';
import type { JobRecordHandler } from './handlers/job-records.js';
import type { LateAnswerHandler } from './handlers/late-answer.js';
import type { PatchHandler } from './handlers/patch.js';
import type { PushHandler } from './handlers/push.js';
import type { QueryHandler } from './handlers/query.js';
import type { TokenHandler } from './handlers/token.js';
import type { UpwardHandler } from './handlers/upward.js';
import type { VolumeHandler } from './handlers/volume.js';
import type { WriteHandler } from './handlers/write.js';
import type { Reconciler } from './reconcile/reconciler.js';
import type { TokenFetcher } from './tokens/token-fetcher.js';
import type { TokenRenewer } from './tokens/token-renewer.js';
import type { TokenVault } from './tokens/token-vault.js';

/** One handler per family of messages; the table in `routes.ts` says which message goes where. */
export interface Handlers {
  readonly pushes: PushHandler;
  readonly lateAnswers: LateAnswerHandler;
  readonly queries: QueryHandler;
  readonly tokens: TokenHandler;
  readonly writes: WriteHandler;
  readonly patches: PatchHandler;
  readonly upward: UpwardHandler;
  readonly volumes: VolumeHandler;
  readonly deviceStore: DeviceStoreHandler;
  readonly deviceEdits: DeviceEditHandler;
  readonly jobRecords: JobRecordHandler;
  readonly localApi: LocalApiHandler;
}

/** Desired state at rest: keeps what the cloud sends, answers the node's questions, passes on what the cloud must know. */
export class MetaManager implements Runnable, Handlers {
  readonly pushes: PushHandler;
  readonly lateAnswers: LateAnswerHandler;
  readonly queries: QueryHandler;
  readonly tokens: TokenHandler;
  readonly writes: WriteHandler;
  readonly patches: PatchHandler;
  readonly upward: UpwardHandler;
  readonly volumes: VolumeHandler;
  readonly deviceStore: DeviceStoreHandler;
  readonly deviceEdits: DeviceEditHandler;
  readonly jobRecords: JobRecordHandler;
  readonly localApi: LocalApiHandler;
  readonly #cloud: Cloud;
  readonly #reconciler: Reconciler;
  readonly #vault: TokenVault;
  readonly #fetcher: TokenFetcher;
  readonly #renewer: TokenRenewer;

  constructor(deps: Handlers & { cloud: Cloud; reconciler: Reconciler; vault: TokenVault; fetcher: TokenFetcher; renewer: TokenRenewer }) {
    this.pushes = deps.pushes;
    this.lateAnswers = deps.lateAnswers;
    this.queries = deps.queries;
    this.tokens = deps.tokens;
    this.writes = deps.writes;
    this.patches = deps.patches;
    this.upward = deps.upward;
    this.volumes = deps.volumes;
    this.deviceStore = deps.deviceStore;
    this.deviceEdits = deps.deviceEdits;
    this.jobRecords = deps.jobRecords;
    this.localApi = deps.localApi;
    this.#cloud = deps.cloud;
    this.#reconciler = deps.reconciler;
    this.#vault = deps.vault;
    this.#fetcher = deps.fetcher;
    this.#renewer = deps.renewer;
  }

  async run(life: Life): Promise<void> {
    // Questions that are out would hold up the end until they are answered.
    life.signal.addEventListener('abort', () => this.#cloud.close(), { once: true });
    try {
      await this.#vault.open();
      life.ready();
      await this.localApi.begin();
      await Promise.all([this.#reconciler.run(life.signal), this.#fetcher.run(life.signal), this.#renewer.run(life.signal)]);
    } finally {
      this.#cloud.close();
      this.localApi.close();
    }
  }
}

export const MetaManagerEntry: Token<MetaManager> = token<MetaManager>('metamanager', 'MetaManager');
