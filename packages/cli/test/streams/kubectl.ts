import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from '../support/agent.js';

const run = promisify(execFile);

/** What a kubectl that has ended said. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** A kubectl that goes on. */
export interface Running {
  readonly child: ChildProcess;
  /** Output and errors so far. */
  readonly said: string;
  /** Resolves when the text has come. */
  shows(text: string | RegExp): Promise<void>;
  /** Resolves with the exit code, null after a signal. */
  readonly ended: Promise<number | null>;
  kill(): Promise<void>;
}

/** A kubectl whose streams are a terminal. */
export interface Terminal extends Running {
  type(text: string): void;
  /** As a window that changes its size. */
  resize(rows: number, columns: number): Promise<void>;
}

/** How kubectl speaks to the cloud: newer ones try WebSocket first unless told otherwise. */
export const SPDY_ALONE = { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false', KUBECTL_PORT_FORWARD_WEBSOCKETS: 'false' } as const;

/** The real kubectl at a cloud. */
export class Kubectl {
  readonly #folder: string;
  readonly #first: readonly string[];
  readonly #env: NodeJS.ProcessEnv;
  #terminals = 0;

  /**
   * @param folder for notes of its own
   * @param program the one on the path unless given
   */
  constructor(deps: { kubeconfig: string; folder: string; env?: Readonly<Record<string, string>>; program?: string }) {
    this.#folder = deps.folder;
    this.#first = [deps.program ?? 'kubectl', '--kubeconfig', deps.kubeconfig];
    this.#env = { ...process.env, TERM: 'xterm', ...deps.env };
  }

  /** Runs it to its end; what takes minutes is ended by force. */
  async run(args: readonly string[], input?: Buffer): Promise<Outcome> {
    const [command = '', ...first] = this.#first;
    const child = spawn(command, [...first, ...args], { stdio: ['pipe', 'pipe', 'pipe'], env: this.#env });
    const timer = setTimeout(() => child.kill('SIGKILL'), 150_000);
    const stdout: Buffer[] = [];
    let stderr = '';
    child.stdout.on('data', (bytes: Buffer) => stdout.push(bytes));
    child.stderr.on('data', (bytes: Buffer) => (stderr += String(bytes)));
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    const [code] = (await once(child, 'close')) as [number | null];
    clearTimeout(timer);
    return { code, stdout: Buffer.concat(stdout), stderr };
  }

  /** Output as text of one that has to succeed. */
  async text(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(args);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${code}: ${stderr}`);
    return String(stdout);
  }

  /** Starts one that goes on; its input stays open. */
  start(...args: string[]): Running {
    const [command = '', ...first] = this.#first;
    return running(spawn(command, [...first, ...args], { stdio: ['pipe', 'pipe', 'pipe'], env: this.#env }), args[0] ?? '');
  }

  /** Starts one in a terminal of the given size. */
  async terminal(rows: number, columns: number, ...args: string[]): Promise<Terminal> {
    const note = join(this.#folder, `terminal-${(this.#terminals += 1)}`);
    const command = [...this.#first, ...args].map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
    const child = spawn('script', ['-qefc', `stty rows ${rows} cols ${columns}; tty > '${note}'; exec ${command}`, '/dev/null'], { stdio: ['pipe', 'pipe', 'pipe'], env: this.#env });
    const one = running(child, args[0] ?? '');
    let device = '';
    await eventually(async () => (device = (await readFile(note, 'utf8').catch(() => '')).trim()) !== '', 60_000, () => `no terminal: ${one.said}`);
    await rm(note);
    return {
      child, ended: one.ended, shows: one.shows, kill: one.kill,
      get said() {
        return one.said;
      },
      type: (text) => void child.stdin.write(text),
      resize: async (toRows, toColumns) => void (await run('stty', ['-F', device, 'rows', String(toRows), 'cols', String(toColumns)])),
    };
  }
}

function running(child: ChildProcess, name: string): Running {
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (bytes: Buffer) => (said += String(bytes)));
  child.stdin?.on('error', () => undefined);
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  return {
    child, ended,
    get said() {
      return said;
    },
    shows: (text) => eventually(() => (typeof text === 'string' ? said.includes(text) : text.test(said)), 90_000, () => `kubectl ${name} did not show ${String(text)}; it showed: ${said.slice(-2000)}`),
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
