import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Containerd } from '@edge/testing';
import { agentConfig } from '../../src/dev/agent-config.js';
import { SMALL_MEMORY_FLAGS } from '@edge/upgrade';
import { SMALL_MEMORY_ENV } from '../../src/dev/agent-process.js';

/** The bundled program. */
export const PROGRAM = fileURLToPath(new URL('../../dist-bundle/edgecore.mjs', import.meta.url));

/** A folder for one test, removed with it. */
export async function temporaryFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'edge-e2e-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

export interface AgentOptions {
  readonly folder: string;
  readonly node: string;
  readonly token: string;
  /** `host:port` of the link, perhaps a relay. */
  readonly hubAddress: string;
  readonly httpsUrl: string;
  readonly kubeletPort: number;
  /** Port of its MQTT broker; without one it has none. */
  readonly mqttPort?: number;
  /** Port of its Kubernetes API; without one it has none. */
  readonly nodeApiPort?: number;
  /** The cloud's end of its tunnel for logs and commands, perhaps a relay; without one it has none. */
  readonly tunnelAddress?: string;
  /** Runs its pods there; as plain processes unless given. */
  readonly containerd?: Pick<Containerd, 'socket' | 'cgroupRoot'> | undefined;
  /** Level of the log, 0 unless given. */
  readonly verbosity?: number;
  /** Variables of its environment besides our own. */
  readonly env?: Readonly<Record<string, string>>;
  /** The network namespace that it lives in; that of the test unless given. */
  readonly network?: string;
  /** Changes the text of the configuration before it is written. */
  readonly edit?: (text: string) => string;
}

/** The agent as a process that can be killed and started again over the same data. */
export interface Agent extends AsyncDisposable {
  readonly pid: number;
  readonly log: string;
  start(): void;
  /** As a power cut: no warning. Resolves when it is gone. */
  kill(): Promise<void>;
  stop(): Promise<number | null>;
  /** Resolves when the log, from `start()` on or from its beginning, holds the text. */
  logged(text: string | RegExp, timeoutMs?: number): Promise<void>;
}

/** Writes the configuration (an existing one stays) and starts the agent. */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  await mkdir(options.folder, { recursive: true });
  const config = join(options.folder, 'edgecore.yaml');
  if (!existsSync(config)) {
    const { containerd } = options;
    const runtime = containerd ? ({ runtime: 'cri', endpoint: `unix://${containerd.socket}`, cgroupRoot: containerd.cgroupRoot } as const) : ({ runtime: 'process' } as const);
    const text = agentConfig({ ...options, data: options.folder, ...runtime });
    writeFileSync(config, options.edit?.(text) ?? text);
  }
  const logPath = join(options.folder, 'agent.log');
  let child: ChildProcess | undefined;
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    const running = child;
    if (!running || running.exitCode !== null || running.signalCode !== null) return running?.exitCode ?? null;
    const gone = new Promise<number | null>((resolve) => running.once('exit', (code) => resolve(code)));
    running.kill(signal);
    return gone;
  };
  const agent: Agent = {
    get pid() {
      return child?.pid ?? 0;
    },
    get log() {
      return existsSync(logPath) ? readFileSync(logPath, 'utf8') : '';
    },
    start: () => {
      const log = openSync(logPath, 'a');
      // Mounts stay those of the test: nsenter, unlike ip, enters the network alone.
      const [program, ...args] = [...(options.network ? ['nsenter', `--net=/run/netns/${options.network}`] : []), process.execPath, ...SMALL_MEMORY_FLAGS, PROGRAM, '--config', config, `--v=${options.verbosity ?? 0}`];
      child = spawn(program as string, args, {
        stdio: ['ignore', log, log],
        env: { ...SMALL_MEMORY_ENV, ...process.env, CHECK_EDGECORE_ENVIRONMENT: 'false', NODE_OPTIONS: '', ...options.env },
      });
      closeSync(log);
    },
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
    logged: async (text, timeoutMs = 60_000) => {
      const fits = (): boolean => (typeof text === 'string' ? agent.log.includes(text) : text.test(agent.log));
      await eventually(fits, timeoutMs, () => `the agent's log does not hold ${String(text)}; its end:\n${agent.log.slice(-2000)}`);
    },
    [Symbol.asyncDispose]: async () => {
      await end('SIGTERM');
    },
  };
  agent.start();
  return agent;
}

/** Waits until it is so; the error says what is not. */
export async function eventually(fits: () => boolean | Promise<boolean>, timeoutMs: number, text: () => string): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await fits())) {
    if (Date.now() > deadline) throw new Error(text());
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
