import type { Life, Runnable } from '@edge/core';
import { isNodeJobResource } from '@edge/protocol';
import type { Background } from './jobs/background.js';
import type { NodeJobs } from './jobs/node-jobs.js';
import type { JobRows } from './records/job-rows.js';
import type { NodeTasks } from './tasks/node-tasks.js';

export interface TaskManagerDeps {
  readonly jobs: NodeJobs;
  readonly tasks: NodeTasks;
  readonly rows: JobRows;
  readonly background: Background;
}

/** Does what the cloud's jobs want of this node. */
export class TaskManager implements Runnable {
  /** Of v1alpha2. */
  readonly jobs: NodeJobs;
  /** Of v1alpha1. */
  readonly tasks: NodeTasks;
  readonly #rows: JobRows;
  readonly #background: Background;

  constructor(deps: TaskManagerDeps) {
    this.jobs = deps.jobs;
    this.tasks = deps.tasks;
    this.#rows = deps.rows;
    this.#background = deps.background;
  }

  async run(life: Life): Promise<void> {
    // What was handed over comes first: its turn to change the agent is not over.
    const left = this.#rows.all().sort((a, b) => Number(b.phase === 'handed') - Number(a.phase === 'handed'));
    for (const row of left) (isNodeJobResource(row.resource) ? this.jobs : this.tasks).resume(row);
    life.ready();
    await this.#background.run(life.signal);
  }

  /** Lets the upgrade go that waits for somebody at the node. */
  async confirm(): Promise<{ confirmed: boolean }> {
    return { confirmed: (await this.jobs.confirm()) || (await this.tasks.confirm()) };
  }
}
