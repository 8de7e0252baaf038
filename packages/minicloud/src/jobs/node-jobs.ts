import type { Logger } from '@edge/core';
import type { ObjectStore, ResourceClient } from '@edge/kubeapi';
import { createMessage, Groups, type Message, NODE_JOB_FLOWS, Sources } from '@edge/protocol';
import { type Controller, follow, listAll } from '../controllers/controller.js';
import { Reconciler } from '../controllers/reconciler.js';
import { minicloudError, MinicloudErrors } from '../errors.js';
import type { ClientSource, StoredNode } from '../objects.js';
import { JOB_KINDS, JOBS_API, type JobKind, storedJobs } from './job-kinds.js';
import { firstStatus } from './nodes.js';
import { planJob } from './plan.js';
import { applyReport, isRepeated, readReport, type Report } from './report.js';
import type { JobStatus, StoredJob } from './types.js';

export interface NodeJobsDeps {
  readonly store: ObjectStore;
  readonly source: ClientSource;
  /** The nodes' links. */
  readonly hub: { push(node: string, message: Message): boolean; isConnected(node: string): boolean };
  /** Whether a node may report for itself alone. */
  readonly authorize: boolean;
  readonly log: Logger;
  readonly now: () => number;
}

/** Node jobs (v1alpha2): gives nodes their turn, notes what they report, says when the job is done. */
export class NodeJobs implements Controller {
  readonly #deps: NodeJobsDeps;
  readonly #work: Reconciler;
  readonly #stops: (() => void)[] = [];
  /** By uid of the job and node: when it was given the job or said something of it. Counted anew in each process. */
  readonly #heard = new Map<string, Map<string, number>>();

  constructor(deps: NodeJobsDeps) {
    this.#deps = deps;
    this.#work = new Reconciler({ name: 'node-jobs', log: deps.log, reconcile: (key) => this.#reconcile(key) });
  }

  start(): void {
    for (const kind of JOB_KINDS) {
      this.#stops.push(follow(this.#deps.store, storedJobs(kind), ({ metadata }, event) => {
        if (event?.type === 'deleted') this.#heard.delete(metadata.uid);
        else this.#work.enqueue(`${kind.plural}/${metadata.name}`);
      }));
    }
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops.splice(0)) stop();
    await this.#work.stop();
  }

  /**
   * Notes what a node reports. There is no answer, as with CloudCore.
   * @throws EdgeError `minicloud.bad-content`
   */
  async handle(node: string, message: Message): Promise<undefined> {
    const report = readReport(message);
    if (this.#deps.authorize && report.node !== node) throw minicloudError(MinicloudErrors.badContent, `node ${node} may not report for node ${report.node}`);
    const jobs = this.#jobs(report.kind);
    const job = jobs.find(report.job);
    if (!job) return this.#notNoted(report, 'there is no such job');
    const wasTold = this.#heard.get(job.metadata.uid)?.has(report.node) === true;
    await jobs.modify(report.job, undefined, (copy) => {
      const tasks = copy.status?.nodeStatus ?? [];
      const at = tasks.findIndex(({ nodeName }) => nodeName === report.node);
      const task = tasks[at];
      // A node that has not had its turn speaks of an earlier job of this name; one that is done has said all.
      const isAwaited = task?.phase === 'InProgress' || task?.phase === 'Unknown' || (task?.phase === 'Pending' && wasTold);
      if (!isAwaited) return this.#notNoted(report, 'nothing is awaited from this node') ?? false;
      if (isRepeated(task, report)) return this.#notNoted(report, 'it has come before') ?? false;
      tasks[at] = applyReport(task, report, this.#deps.now());
      return undefined;
    }, { subresource: 'status' });
    this.#hear(job.metadata.uid, report.node);
    return undefined;
  }

  #notNoted({ kind, job, node, action }: Report, why: string): undefined {
    this.#deps.log.verbose(1, 'a report of a node job was passed over', { type: kind.type, job, node, action, why });
    return undefined;
  }

  async #reconcile(key: string): Promise<number | undefined> {
    const [plural = '', name = ''] = key.split('/');
    const kind = JOB_KINDS.find((known) => known.plural === plural) as JobKind;
    const job = this.#jobs(kind).find(name);
    if (!job || job.metadata.deletionTimestamp !== undefined) return undefined;
    const settings = kind.settings(job.spec ?? {});
    if (!job.status?.phase) {
      await this.#write(kind, job, firstStatus(settings, listAll<StoredNode>(this.#deps.store, 'nodes')));
      return undefined;
    }
    const { uid } = job.metadata;
    const { hub, now } = this.#deps;
    for (const { nodeName, phase } of job.status.nodeStatus ?? []) {
      if (phase === 'InProgress' && this.#heard.get(uid)?.has(nodeName) !== true) this.#hear(uid, nodeName);
    }
    const plan = planJob(settings, job.status, { isConnected: (node) => hub.isConnected(node), heardAt: (node) => this.#heard.get(uid)?.get(node) ?? now(), now: now() });
    for (const node of plan.begin) {
      if (this.#heard.get(uid)?.has(node)) continue;
      // Its link has just ended: the next plan knows.
      if (!hub.push(node, orderOf(kind, job, node))) return 0;
      this.#hear(uid, node);
    }
    if (plan.status) await this.#write(kind, job, plan.status);
    return plan.lookAgainMs;
  }

  /** Writes over what was planned for only: any change since then leads to a plan of its own. */
  async #write(kind: JobKind, { metadata }: StoredJob, status: JobStatus): Promise<void> {
    await this.#jobs(kind).modify(metadata.name, undefined, (copy) => {
      if (copy.metadata.uid !== metadata.uid || copy.metadata.resourceVersion !== metadata.resourceVersion) return false;
      copy.status = status;
      return undefined;
    }, { subresource: 'status' });
  }

  #hear(uid: string, node: string): void {
    const nodes = this.#heard.get(uid) ?? new Map<string, number>();
    this.#heard.set(uid, nodes.set(node, this.#deps.now()));
  }

  #jobs(kind: JobKind): ResourceClient<StoredJob> {
    return this.#deps.source.resource<StoredJob>(JOBS_API, kind.plural);
  }
}

/** The one message that begins a job on a node: the first action, the spec. */
function orderOf(kind: JobKind, job: StoredJob, node: string): Message {
  return createMessage({
    source: Sources.taskManager, group: Groups.taskManager, operation: NODE_JOB_FLOWS[kind.type][0]?.action ?? '',
    resource: `${JOBS_API}/${kind.type}/${job.metadata.name}/node/${node}`, content: kind.content(job.spec ?? {}),
  });
}
