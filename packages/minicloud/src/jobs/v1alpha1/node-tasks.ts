import { randomUUID } from 'node:crypto';
import type { Logger } from '@edge/core';
import type { KubeObject, ObjectStore, ResourceClient } from '@edge/kubeapi';
import { createMessage, type Fields, Groups, isFields, type Message, Sources, timestamp } from '@edge/protocol';
import { type Controller, follow, listAll } from '../../controllers/controller.js';
import { Reconciler } from '../../controllers/reconciler.js';
import { minicloudError, MinicloudErrors } from '../../errors.js';
import type { ClientSource, StoredNode } from '../../objects.js';
import { JOBS_GROUP } from '../job-kinds.js';
import { chooseNodes, unfitness } from '../nodes.js';
import { nodesOf, TASK_KINDS, TASKS_API, type TaskImage, type TaskKind, type TaskNode, type TaskState, type TaskStatus, withNodes } from './kinds.js';
import { afterEvent, planStage } from './plan.js';

export interface NodeTasksDeps {
  readonly store: ObjectStore;
  readonly source: ClientSource;
  readonly hub: { push(node: string, message: Message): boolean };
  /** Whether a node may report for itself alone. */
  readonly authorize: boolean;
  readonly log: Logger;
  readonly now: () => number;
}

interface StoredTask extends KubeObject {
  spec: Fields;
  status?: TaskStatus;
}

/** Node jobs as of v1alpha1, where the cloud drives every stage: nodes are told one thing at a time and report when it is done. */
export class NodeTasks implements Controller {
  readonly #deps: NodeTasksDeps;
  readonly #work: Reconciler;
  readonly #stops: (() => void)[] = [];
  /** By uid of the job, then by node and stage: when it was told. After a restart all are told again, as by CloudCore. */
  readonly #told = new Map<string, Map<string, number>>();

  constructor(deps: NodeTasksDeps) {
    this.#deps = deps;
    this.#work = new Reconciler({ name: 'node-tasks', log: deps.log, reconcile: (key) => this.#reconcile(key) });
  }

  start(): void {
    for (const { plural } of TASK_KINDS) {
      this.#stops.push(follow(this.#deps.store, `${JOBS_GROUP}/${plural}`, ({ metadata }, event) => {
        if (event?.type === 'deleted') this.#told.delete(metadata.uid);
        else this.#work.enqueue(`${plural}/${metadata.name}`);
      }));
    }
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops.splice(0)) stop();
    await this.#work.stop();
  }

  /**
   * Notes what a node reports: `task/<job>/node/<node>`, the operation is the kind. There is no answer.
   * @throws EdgeError `minicloud.bad-content`
   */
  async handle(from: string, { route, content }: Message): Promise<undefined> {
    const { authorize, log, now } = this.#deps;
    const [task, name = '', , node = '', ...rest] = route.resource.split('/');
    const kind = TASK_KINDS.find(({ type }) => type === route.operation);
    if (task !== 'task' || rest.length > 0 || !kind || !isFields(content)) throw bad(`"${route.resource}" is not task/<job>/node/<node> with an object, or ${route.operation} is neither upgrade nor prepull`);
    if (authorize && node !== from) throw bad(`node ${from} may not report for node ${node}`);
    const event = { event: text(content['Event']), action: text(content['Action']), reason: text(content['Reason']) };
    await this.#jobs(kind).modify(name, undefined, (copy) => {
      const nodes = nodesOf(kind, copy.status ?? {});
      const before = nodes.find(({ nodeName }) => nodeName === node);
      const after = before && afterEvent(kind, before, event, now());
      if (!after) {
        log.verbose(1, 'a report of a node task was passed over', { type: kind.type, job: name, node, ...event });
        return false;
      }
      copy.status = withNodes(kind, copy.status ?? {}, nodes.map((one) => (one === before ? after : one)));
      const images = imagesOf(text(content['ExternalMessage']));
      const own = copy.status.status?.find(({ nodeStatus }) => nodeStatus.nodeName === node);
      if (own && images.length > 0) own.imageStatus = images;
      return undefined;
    }, { subresource: 'status' });
    return undefined;
  }

  async #reconcile(key: string): Promise<number | undefined> {
    const [plural = '', name = ''] = key.split('/');
    const kind = TASK_KINDS.find((known) => known.plural === plural) as TaskKind;
    const job = this.#jobs(kind).find(name);
    if (!job || job.metadata.deletionTimestamp !== undefined) return undefined;
    const { now, hub } = this.#deps;
    const status = job.status ?? {};
    if (status.state === undefined && nodesOf(kind, status).length === 0) {
      await this.#write(kind, job, this.#first(kind, job));
      return undefined;
    }
    const told = this.#told.get(job.metadata.uid) ?? new Map<string, number>();
    this.#told.set(job.metadata.uid, told);
    const toldAt = (node: string, stage: TaskState): number | undefined => told.get(`${node}/${stage}`);
    const plan = planStage(kind, kind.settings(job.spec ?? {}), status, { toldAt, now: now() });
    for (const node of plan.tell) {
      told.set(`${node.nodeName}/${status.state ?? 'Init'}`, now());
      // Whom it does not reach is late at last.
      hub.push(node.nodeName, orderOf(kind, job, node));
    }
    if (plan.status) await this.#write(kind, job, plan.status);
    return plan.lookAgainMs;
  }

  /** Nodes that cannot take it are left out. */
  #first(kind: TaskKind, job: StoredTask): TaskStatus {
    const chosen = chooseNodes(kind.settings(job.spec ?? {}), listAll<StoredNode>(this.#deps.store, 'nodes'));
    const version = text(job.spec?.['version']);
    const isThere = (node: StoredNode | undefined): boolean => kind.type === 'upgrade' && version !== '' && node?.status?.nodeInfo?.kubeletVersion?.endsWith(`-kubeedge-${version}`) === true;
    const fit = typeof chosen === 'string' ? [] : chosen.filter(({ node }) => unfitness(node) === undefined && !isThere(node));
    if (fit.length > 0) return withNodes(kind, {}, fit.map(({ name }): TaskNode => ({ nodeName: name })));
    const reason = typeof chosen === 'string' ? chosen : 'none of the nodes is a ready edge node that has still to do this';
    return { state: 'Failed', event: 'Init', action: 'Failure', time: timestamp(this.#deps.now()), reason };
  }

  /** Writes over what was planned for only: any change since then leads to a plan of its own. */
  async #write(kind: TaskKind, { metadata }: StoredTask, status: TaskStatus): Promise<void> {
    await this.#jobs(kind).modify(metadata.name, undefined, (copy) => {
      if (copy.metadata.uid !== metadata.uid || copy.metadata.resourceVersion !== metadata.resourceVersion) return false;
      copy.status = status;
      return undefined;
    }, { subresource: 'status' });
  }

  #jobs(kind: TaskKind): ResourceClient<StoredTask> {
    return this.#deps.source.resource<StoredTask>(TASKS_API, kind.plural);
  }
}

/** What a node has to do in its state; members in upstream's order and spelling. */
function orderOf(kind: TaskKind, job: StoredTask, { nodeName, state = '' as TaskState }: TaskNode): Message {
  const spec = job.spec ?? {};
  const Item = state === 'Checking' ? { CheckItem: kind.checkItems(spec) } : kind.item(job.metadata.name, spec, randomUUID());
  return createMessage({
    source: Sources.taskManager, group: Groups.taskManager, operation: kind.type, resource: `${kind.type}/${job.metadata.name}/node/${nodeName}`,
    content: { TaskID: job.metadata.name, Type: kind.type, State: state, Item },
  });
}

function imagesOf(message: string): TaskImage[] {
  let list: unknown;
  try {
    list = JSON.parse(message || '[]');
  } catch {
    return [];
  }
  const items: unknown[] = Array.isArray(list) ? list : [];
  return items.filter(isFields).map(({ image, state, reason }) => ({ image: text(image), state: text(state), ...(text(reason) === '' ? {} : { reason: text(reason) }) }));
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function bad(message: string): Error {
  return minicloudError(MinicloudErrors.badContent, message);
}
