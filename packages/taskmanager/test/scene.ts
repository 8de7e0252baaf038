import type { Store } from '@edge/core';
import { createErrorResponse, createMessage, createResponse, type ActionStatus, type Message, type NodeTaskResponse } from '@edge/protocol';
import { createMemoryStore, eventually, runModule, testIdentity, type PlayedModule, type RunningModule } from '@edge/testing';
import { createTaskManager, NodeInstallation, type LoadMeter } from '../src/index.js';
import { FakeInstallation } from './fake-installation.js';

const idle: LoadMeter = {
  cpu: () => Promise.resolve(1),
  memory: () => Promise.resolve(1),
  rootDisk: () => Promise.resolve(1),
  disks: () => Promise.resolve([]),
};

/** What stays when an agent is stopped. */
export class Node {
  readonly store: Store = createMemoryStore();
  readonly installation = new FakeInstallation();
  /** Rows of metamanager. */
  records: { version: string; job: string; node: string; value: unknown }[] = [];
  /** Reports that the cloud gets. */
  readonly reports: Message[] = [];
  meter: LoadMeter = idle;
  /** How edged answers a pull: with a text it fails. */
  pull: (content: { image: string; secret?: string }) => string | undefined = () => undefined;
  readonly pulls: { image: string; secret?: string }[] = [];
  /** False: edgehub refuses to keep anything. */
  keeps = true;

  /** The agent's task manager, until it is stopped. */
  async start(): Promise<Agent> {
    let hub: PlayedModule | undefined;
    const running = await runModule(createTaskManager(this.meter), {
      config: { modules: { taskManager: { enable: true } } },
      store: this.store,
      identity: testIdentity('edge-node'),
      platform: (bind) => void bind(NodeInstallation).toConstantValue(this.installation),
      neighbours: (bus) => {
        hub = bus.play('websocket', 'hub', (message) => this.#keep(message));
        bus.play('metamanager', 'meta', (message) => this.#record(message));
        bus.play('edged', 'edged', (message) => this.#pulled(message));
      },
    });
    return new Agent(running, hub as PlayedModule);
  }

  #keep(message: Message): unknown {
    if (!this.keeps) return createErrorResponse(message, 'disk full');
    this.reports.push(message);
    return 'OK';
  }

  #record(message: Message): unknown {
    const content = message.content as (typeof this.records)[number];
    switch (message.route.operation) {
      case 'get':
        return { items: this.records };
      case 'insert':
        this.records = [...this.records.filter(({ version }) => version !== content.version), content];
        return 'OK';
      default:
        this.records = this.records.filter(({ version }) => version !== content.version);
        return 'OK';
    }
  }

  #pulled(message: Message): Message {
    const content = message.content as { image: string; secret?: string };
    this.pulls.push(content);
    const why = this.pull(content);
    return why === undefined ? createResponse(message, { image: 'ref' }) : createErrorResponse(message, why);
  }
}

/** A task manager that runs. */
export class Agent implements AsyncDisposable {
  readonly running: RunningModule;
  readonly hub: PlayedModule;

  constructor(running: RunningModule, hub: PlayedModule) {
    this.running = running;
    this.hub = hub;
  }

  /** What the cloud sends. */
  send(message: Message): Promise<void> {
    return this.running.bus.bus.send({ group: 'taskmanager' }, message);
  }

  /** A job of v1alpha2. */
  job(type: string, content: unknown, parts: { job?: string; operation?: string } = {}): Promise<void> {
    const resource = `operations.kubeedge.io/v1alpha2/${type}/${parts.job ?? 'j1'}/node/edge-node`;
    return this.send(createMessage({ source: 'taskmanager', group: 'taskmanager', operation: parts.operation ?? 'Check', resource, content }));
  }

  /** A stage of a job of v1alpha1. */
  task(type: string, state: string, item: unknown): Promise<void> {
    const content = { TaskID: 't1', Type: type, State: state, Item: item };
    return this.send(createMessage({ source: 'taskmanager', group: 'taskmanager', operation: type, resource: `${type}/t1/node/edge-node`, content }));
  }

  /** What the node's own API asks for. */
  async confirm(): Promise<unknown> {
    const question = createMessage({ source: 'metaserver', group: 'taskmanager', operation: 'update', resource: 'upgrade/confirm' });
    return (await this.running.bus.bus.request({ group: 'taskmanager' }, question, { timeoutMs: 20_000 })).content;
  }

  /** Waits for the report of an action of a job. */
  async action(action: string, job = 'j1'): Promise<ActionStatus> {
    const fits = ({ route, content }: Message): boolean => route.resource.includes(`/${job}/`) && (content as ActionStatus).action === action;
    return (await this.hub.next(fits, 30_000)).content as ActionStatus;
  }

  /** Waits for an event of a task. */
  async event(event: string): Promise<NodeTaskResponse> {
    return (await this.hub.next(({ content }) => (content as NodeTaskResponse).Event === event, 30_000)).content as NodeTaskResponse;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.running.stop();
  }
}

/** What was reported of a job, in short: `Check+`, `Upgrade-`. */
export function flowOf(node: Node, job = 'j1'): string[] {
  const own = node.reports.filter(({ route }) => route.resource.includes(`/${job}/`));
  return own.map(({ content }) => `${(content as ActionStatus).action}${(content as ActionStatus).succ ? '+' : '-'}`);
}

/** Waits until it is so. @param what for the failure, in words */
export async function until(what: string, fits: () => boolean | Promise<boolean>): Promise<void> {
  await eventually(async () => ((await fits()) ? true : undefined), what);
}
