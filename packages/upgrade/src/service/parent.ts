import { rm } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { AgentStatus } from '../change/judge.js';
import { readJson, readOptional } from '../disk/files.js';
import type { Layout } from '../layout/layout.js';
import { lives, runningAgent } from '../process/agent-process.js';
import { isAlive, releaseFile, writeMark } from '../process/process-mark.js';
import type { ServiceManager } from '../service-manager.js';

/** Between looks at a process that is to end. */
const LOOK_MS = 50;

/** What an agent gets that has not even opened its database. */
const UNSTARTED_STOP_MS = 5_000;

export interface ParentDeps {
  readonly layout: Layout;
  /** Milliseconds that an orderly stop may take before the agent is killed. */
  readonly stopMs: number;
  /** The service manager of the machine, which is asked to start the agent without its usual pause. */
  readonly manager?: Pick<ServiceManager, 'start'>;
}

/**
 * Stops and starts an agent that its parent starts again whenever it ends: `Restart=always` of systemd, `supervise-daemon`, a
 * container's restart policy, `edgecore dev`. The parent is never told to stop. The agent is ended, and what it is started by,
 * the launcher, waits as long as the process that wanted it lives. So an upgrade that is killed leaves no stopped service
 * behind: the launcher goes on, and has the change taken up again.
 */
export class ParentService implements ServiceManager {
  readonly #deps: ParentDeps;

  constructor(deps: ParentDeps) {
    this.#deps = deps;
  }

  async stop(): Promise<void> {
    const { layout, stopMs } = this.#deps;
    await writeMark(layout.hold);
    // An agent that passed the launcher before the mark was there looks at it before it opens its database, and is seen here.
    for (let pid = await this.running(); pid !== undefined; pid = await this.running()) await end(pid, (await this.#hasStarted(pid)) ? stopMs : UNSTARTED_STOP_MS);
  }

  async start(): Promise<void> {
    const { layout, manager } = this.#deps;
    // One that a process left which has died holds nothing; it only lies there.
    if (!isAlive(await readOptional(layout.hold))) await rm(layout.hold, { force: true });
    await releaseFile(layout.hold);
    // It only saves the pause: the parent starts the agent again by itself, also when the service manager refuses.
    await manager?.start().catch(() => undefined);
  }

  running(): Promise<number | undefined> {
    return runningAgent(this.#deps.layout);
  }

  /** Whether it got as far as to hold something that has to be closed in order. */
  async #hasStarted(pid: number): Promise<boolean> {
    return ((await readJson(this.#deps.layout.status)) as AgentStatus | undefined)?.pid === pid;
  }
}

async function end(pid: number, stopMs: number): Promise<void> {
  kill(pid, 'SIGTERM');
  for (let waited = 0; lives(pid); waited += LOOK_MS) {
    // SIGKILL again and again does no harm, and a process that hangs in the kernel ends some time later.
    if (waited >= stopMs) kill(pid, 'SIGKILL');
    await pause(LOOK_MS);
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}
