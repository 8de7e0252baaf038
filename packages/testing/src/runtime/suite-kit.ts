import { readFile } from 'node:fs/promises';
import type { ContainerConfig, ContainerRuntime, PodSandboxConfig, RuntimeContainerStatus } from '@edge/core';
import { sleep } from '@edge/core';

/** A runtime under test with its surroundings. */
export interface RuntimeSubject {
  readonly runtime: ContainerRuntime;
  /**
   * Lets go of the present instance as if the agent had been killed, waits for `between`, and returns a new instance
   * over the same pods.
   */
  reopen(between?: () => Promise<void>): Promise<ContainerRuntime>;
  /** Ends whatever still runs and removes the files. */
  dispose(): Promise<void>;
}

/** Commands that behave as their names say. Those that stay print `ready` and a newline once they do what they should. */
export interface RuntimeCommands {
  /** Runs until it is stopped; SIGTERM ends it with 143. */
  run(): string[];
  /** Ends by itself. */
  exit(code: number, afterMs?: number): string[];
  /** Ends with this code on SIGTERM. */
  polite(code: number): string[];
  /** Ignores SIGTERM. */
  stubborn(): string[];
  /** Cannot be found. */
  missing(): string[];
  /** Ends by a signal that it sends to itself; undefined when the runtime has no signals. */
  dieBySignal?(signal: number): string[];
  /** Prints both texts without adding a newline, and ends with the code. */
  print(stdout: string, stderr: string, code: number): string[];
  /** Prints `line <n>` with n from 1 up, each on a line, waiting in between; and ends with 0. Needed where there are logs. */
  count?(to: number, pauseMs: number): string[];
  /** For exec: runs for this long. */
  sleep(milliseconds: number): string[];
  /** Prints its arguments, each in brackets on a line. Needed where there are logs, like the next. */
  printArguments?(...args: string[]): string[];
  /** Prints the value of a variable. */
  printVariable?(name: string): string[];
}

/** What the runtime under test can do; the chapters about the rest are left out. */
export interface RuntimeAbilities {
  /** Writes log files. */
  readonly logs: boolean;
  readonly execSync: boolean;
  /** `ends`: tells only of what has ended. */
  readonly events: boolean | 'ends';
  /** `real`: an image that was not pulled is absent. `any`: all images are present. */
  readonly images: 'real' | 'any';
  /** Each pod has an address of its own. Without it pods share that of the node. */
  readonly podAddresses: boolean;
}

export interface RuntimeSuiteOptions {
  /** Opens a fresh runtime without pods. */
  open(): Promise<RuntimeSubject>;
  readonly commands: RuntimeCommands;
  readonly abilities: RuntimeAbilities;
  /** Image for all containers; present from the start. */
  readonly image: string;
  /** Writable directory for logs. */
  logRoot(): string;
}

/** What a chapter works with. */
export class RuntimeScene {
  readonly options: RuntimeSuiteOptions;
  runtime!: ContainerRuntime;
  subject!: RuntimeSubject;
  #pods = 0;

  constructor(options: RuntimeSuiteOptions) {
    this.options = options;
  }

  get commands(): RuntimeCommands {
    return this.options.commands;
  }

  async open(): Promise<void> {
    this.subject = await this.options.open();
    this.runtime = this.subject.runtime;
  }

  async reopen(between?: () => Promise<void>): Promise<void> {
    this.runtime = await this.subject.reopen(between);
  }

  async removeAll(): Promise<void> {
    await Promise.all((await this.runtime.listPodSandboxes()).map(({ id }) => this.runtime.removePodSandbox(id)));
  }

  /** A sandbox configuration that no other has. */
  podConfig(change: Partial<PodSandboxConfig> = {}): PodSandboxConfig {
    this.#pods += 1;
    const name = `pod-${this.#pods}`;
    return {
      metadata: { name, namespace: 'suite', uid: `uid-${process.pid}-${this.#pods}`, attempt: 0 },
      hostname: name,
      logDirectory: `${this.options.logRoot()}/suite_${name}`,
      labels: { 'io.kubernetes.pod.name': name, number: String(this.#pods) },
      annotations: { 'example.org/note': `the ${this.#pods}th, "quoted"` },
      ...change,
    };
  }

  containerConfig(command: readonly string[], change: Partial<ContainerConfig> = {}): ContainerConfig {
    const name = change.metadata?.name ?? 'main';
    const attempt = change.metadata?.attempt ?? 0;
    return {
      metadata: { name, attempt },
      image: this.options.image,
      userSpecifiedImage: this.options.image,
      command,
      args: [],
      env: [],
      mounts: [],
      labels: { 'io.kubernetes.container.name': name },
      annotations: { 'io.kubernetes.container.restartCount': String(attempt) },
      logPath: `${name}/${attempt}.log`,
      ...change,
    };
  }

  /** A pod with one container, started. */
  async started(command: readonly string[], change: Partial<ContainerConfig> = {}): Promise<{ pod: PodSandboxConfig; sandbox: string; container: string }> {
    const created = await this.created(command, change);
    await this.runtime.startContainer(created.container);
    return created;
  }

  /** As `started`, and the command has said that it is ready. */
  async ready(command: readonly string[], change: Partial<ContainerConfig> = {}): Promise<{ pod: PodSandboxConfig; sandbox: string; container: string }> {
    const started = await this.started(command, change);
    if (this.options.abilities.logs) await this.logOf(started.container, (text) => text.includes('ready'));
    return started;
  }

  async created(command: readonly string[], change: Partial<ContainerConfig> = {}): Promise<{ pod: PodSandboxConfig; sandbox: string; container: string }> {
    const pod = this.podConfig();
    const sandbox = await this.runtime.runPodSandbox(pod);
    return { pod, sandbox, container: await this.runtime.createContainer(sandbox, this.containerConfig(command, change), pod) };
  }

  /** The status once the container has exited. */
  async exited(container: string): Promise<RuntimeContainerStatus> {
    return eventually(async () => {
      const status = await this.runtime.containerStatus(container);
      return status.state === 'exited' ? status : undefined;
    }, `container ${container} exits`);
  }

  /** The content of the log file once it fits. */
  async logOf(container: string, fits: (text: string) => boolean): Promise<string> {
    const { logPath } = await this.runtime.containerStatus(container);
    let text = '';
    return eventually(
      async () => {
        text = await readFile(logPath, 'latin1').catch(() => '');
        return fits(text) ? text : undefined;
      },
      () => `the log fits; it holds: ${text.slice(-2000)}`,
    );
  }
}

/** The first value that is there; fails after a minute with what was waited for. */
export async function eventually<T>(look: () => Promise<T | undefined>, what: string | (() => string)): Promise<T> {
  const never = new AbortController().signal;
  const deadline = Date.now() + 60_000;
  for (let pause = 1; ; pause = Math.min(pause * 2, 50)) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`waited in vain: ${typeof what === 'string' ? what : what()}`);
    await sleep(pause, never);
  }
}

/** The output that log lines stand for. */
export function outputOf(log: string, stream: 'stdout' | 'stderr'): string {
  return log
    .split('\n')
    .map((line) => /^\S+ (stdout|stderr) ([FP]) (.*)$/s.exec(line))
    .filter((match) => match?.[1] === stream)
    .map((match) => `${match?.[3] ?? ''}${match?.[2] === 'F' ? '\n' : ''}`)
    .join('');
}
