import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../ports/free-ports.js';
import { eventually } from '../runtime/suite-kit.js';
import type { IssuedPair } from '../tls/test-ca.js';

export interface MosquittoOptions {
  /** User name → password. Given, nobody else gets in. */
  readonly users?: Readonly<Record<string, string>>;
  /** TLS with this pair; with `clientCa` (PEM) clients have to show a certificate of it. */
  readonly tls?: { readonly pair: IssuedPair; readonly clientCa?: string };
  /** Keep sessions and retained messages on disk, written after each change, so that they outlive `kill`. */
  readonly persistent?: boolean;
  /** Further lines of `mosquitto.conf`. */
  readonly lines?: readonly string[];
  /** Do not start it yet: for a broker that is down at boot. */
  readonly stopped?: boolean;
}

/** A real MQTT broker on the loopback. The port stays the same through restarts. */
export interface Mosquitto extends AsyncDisposable {
  readonly port: number;
  /** `tcp://127.0.0.1:port`, with TLS `ssl://…`. */
  readonly url: string;
  /** Starts it; resolves when it takes connections. */
  start(): Promise<void>;
  /** Ends it in good order. */
  stop(): Promise<void>;
  /** Ends it without a word, as a crash does. */
  kill(): Promise<void>;
  /** Stops its process with everything open: connections stand and nothing is answered. */
  freeze(): void;
  thaw(): void;
}

const PROGRAM = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto', '/usr/bin/mosquitto'];

/** Starts Debian's mosquitto in a folder of its own. What is missing is named in the error. */
export async function startMosquitto(options: MosquittoOptions = {}): Promise<Mosquitto> {
  const program = PROGRAM.find((path) => existsSync(path));
  if (program === undefined) throw new Error('mosquitto is not installed: apt-get install mosquitto mosquitto-clients');
  const folder = await mkdtemp(join(tmpdir(), 'edge-mosquitto-'));
  try {
    const port = await freePort();
    await writeFile(join(folder, 'mosquitto.conf'), (await configLines(folder, port, options)).join('\n'));
    const broker = new MosquittoProcess(program, folder, port, options.tls === undefined ? 'tcp' : 'ssl');
    if (options.stopped !== true) await broker.start();
    return broker;
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function configLines(folder: string, port: number, { users, tls, persistent = false, lines = [] }: MosquittoOptions): Promise<string[]> {
  const out = [`listener ${port} 127.0.0.1`, `allow_anonymous ${users === undefined}`, 'log_type error', 'set_tcp_nodelay true', 'max_queued_messages 100000'];
  if (process.getuid?.() === 0) out.push('user root');
  if (persistent) out.push('persistence true', `persistence_location ${folder}/`, 'autosave_interval 1', 'autosave_on_changes true');
  if (users !== undefined) {
    const file = join(folder, 'passwords');
    await writeFile(file, '', { mode: 0o600 });
    for (const [name, password] of Object.entries(users)) run('mosquitto_passwd', ['-b', file, name, password]);
    out.push(`password_file ${file}`);
  }
  if (tls !== undefined) {
    const at = (name: string): string => join(folder, name);
    await writeFile(at('server.crt'), tls.pair.certificate);
    await writeFile(at('server.key'), tls.pair.privateKey, { mode: 0o600 });
    out.push(`certfile ${at('server.crt')}`, `keyfile ${at('server.key')}`);
    if (tls.clientCa !== undefined) {
      await writeFile(at('client-ca.crt'), tls.clientCa);
      out.push(`cafile ${at('client-ca.crt')}`, 'require_certificate true');
    }
  }
  return [...out, ...lines, ''];
}

function run(command: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} failed: ${error?.message ?? stderr}`);
}

class MosquittoProcess implements Mosquitto {
  readonly port: number;
  readonly url: string;
  readonly #program: string;
  readonly #folder: string;
  #child: ChildProcess | undefined;

  constructor(program: string, folder: string, port: number, scheme: string) {
    this.#program = program;
    this.#folder = folder;
    this.port = port;
    this.url = `${scheme}://127.0.0.1:${port}`;
  }

  async start(): Promise<void> {
    if (this.#child !== undefined) return;
    let words = '';
    const child = spawn(this.#program, ['-c', join(this.#folder, 'mosquitto.conf')], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (words = (words + chunk.toString()).slice(-4000)));
    await eventually(
      async () => {
        if (child.exitCode !== null) throw new Error(`mosquitto ended with ${child.exitCode}: ${words}`);
        return (await reachable(this.port)) ? true : undefined;
      },
      () => `mosquitto takes connections on ${this.port}: ${words}`,
    );
  }

  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    // One that is frozen hears nothing but SIGKILL.
    if (signal !== 'SIGKILL') child.kill('SIGCONT');
    await ended;
  }
}

function reachable(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
