import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { host, HOST_PATH, requireContainerd, signal, usableSnapshotter, waitUntilStopped } from './host.js';
import { loseVolatile, removeLeftovers } from './leftovers.js';
import { takePlace } from './place.js';
import { cniConfig, containerdConfig, subnetOf, type ContainerdPlace } from './settings.js';
import { buildImage, PAUSE_IMAGE, standardImages, type ImageRecipe } from './test-images.js';

/** What differs from the usual test runtime. */
export interface ContainerdOptions {
  /** `false`: the folder for network configurations stays empty, the runtime reports that its network is not ready. */
  readonly network?: boolean;
  /** Image of the sandboxes; `PAUSE_IMAGE` unless given. */
  readonly sandboxImage?: string;
  /** Found out unless given: `overlayfs` where it can be mounted, else `native`. */
  readonly snapshotter?: 'overlayfs' | 'native';
  /** Images besides the standard ones. */
  readonly images?: readonly ImageRecipe[];
  /** Names of runtime handlers besides `runc`; they are all runc. */
  readonly runtimeHandlers?: readonly string[];
}

/** A containerd of a test's own. Disposing it removes it with all its containers, mounts, networks and control groups. */
export interface Containerd extends AsyncDisposable {
  /** Path of the socket on which it serves CRI. */
  readonly socket: string;
  /** Everything of it lies in here. */
  readonly folder: string;
  /** Its run-time state; the root file systems of running containers are mounted here. */
  readonly stateDir: string;
  /** Folder for network configurations; what is written there counts at once. */
  readonly cniDir: string;
  /** Addresses of its pods, `10.99.7.0/24`; the host is `.1`. */
  readonly subnet: string;
  /** A root of control groups of its own (`/ectd7`), removed with it; give it to agents so that nothing stays behind. */
  readonly cgroupRoot: string;
  readonly pid: number | undefined;
  readonly log: string;
  /** Resolves when CRI knows the image. */
  importImage(recipe: ImageRecipe): Promise<void>;
  /** Runs `ctr` against it, in the namespace of CRI, and gives its output. */
  ctr(...args: readonly string[]): Promise<string>;
  /** Ends the server as a service manager does; containers run on. Resolves when it is gone. */
  stop(): Promise<void>;
  /** As `stop`, without warning. */
  kill(): Promise<void>;
  /** Starts the server again. Resolves when CRI answers, in 10 s at most. */
  start(): Promise<void>;
  /** The power goes and comes back: everything has ended, what a reboot loses is lost (state, networks, control groups), the server runs again. */
  powerCut(): Promise<void>;
  /** The server stands still: connections open, nothing answers. */
  freeze(): void;
  thaw(): void;
}

const START_MS = 10_000;

/**
 * Starts a containerd in a place of its own: folder, socket, bridge and addresses. Several run side by side.
 * Throws with the names of the missing packages where it cannot run.
 */
export async function startContainerd(options: ContainerdOptions = {}): Promise<Containerd> {
  requireContainerd();
  const place = await takePlace();
  try {
    const runtime = new ContainerdProcess(place, options);
    await runtime.start();
    await runtime.importImages([...standardImages(), ...(options.images ?? [])]);
    return runtime;
  } catch (cause) {
    await removeLeftovers(place);
    throw cause;
  }
}

class ContainerdProcess implements Containerd {
  readonly #place: ContainerdPlace;
  readonly #snapshotter: string;
  #process: ChildProcess | undefined;
  #archives = 0;

  constructor(place: ContainerdPlace, options: ContainerdOptions) {
    this.#place = place;
    this.#snapshotter = options.snapshotter ?? usableSnapshotter(place.folder);
    mkdirSync(this.cniDir, { recursive: true });
    writeFileSync(join(place.folder, 'config.toml'), containerdConfig(place, this.#snapshotter, options, options.sandboxImage ?? PAUSE_IMAGE));
    if (options.network !== false) writeFileSync(join(this.cniDir, '10-test.conflist'), cniConfig(place));
  }

  get folder(): string {
    return this.#place.folder;
  }

  get socket(): string {
    return join(this.folder, 'c.sock');
  }

  get stateDir(): string {
    return join(this.folder, 'state');
  }

  get cniDir(): string {
    return join(this.folder, 'cni', 'net.d');
  }

  get subnet(): string {
    return subnetOf(this.#place);
  }

  get cgroupRoot(): string {
    return `/${this.#place.name}`;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  get log(): string {
    return existsSync(this.#logPath) ? readFileSync(this.#logPath, 'utf8') : '';
  }

  get #logPath(): string {
    return join(this.folder, 'log');
  }

  async start(): Promise<void> {
    if (this.#process) throw new Error(`the containerd in ${this.folder} runs already`);
    const said = existsSync(this.#logPath) ? statSync(this.#logPath).size : 0;
    const log = openSync(this.#logPath, 'a');
    // In a session of its own: what stops the tests by the terminal is not for it, disposing is.
    const child = spawn('containerd', ['-c', join(this.folder, 'config.toml')], { detached: true, stdio: ['ignore', log, log], env: { ...process.env, PATH: HOST_PATH } });
    closeSync(log);
    child.once('exit', () => {
      if (this.#process === child) this.#process = undefined;
    });
    this.#process = child;
    const deadline = Date.now() + START_MS;
    // The socket answers a little before CRI does; the last thing that CRI starts is its streaming server.
    while (!(this.log.slice(said).includes('Start streaming server') && (await answers(this.socket)))) {
      if (!this.#process || Date.now() > deadline) throw new Error(`containerd in ${this.folder} does not serve; its log ends:\n${this.log.slice(-2000)}`);
      await delay(20);
    }
  }

  async importImage(recipe: ImageRecipe): Promise<void> {
    await this.importImages([recipe]);
  }

  async importImages(recipes: readonly ImageRecipe[]): Promise<void> {
    await Promise.all(recipes.map((recipe) => this.#import(recipe)));
    // CRI learns of images by events.
    const deadline = Date.now() + START_MS;
    for (;;) {
      const known = (await this.ctr('images', 'ls', '-q', 'labels."io.cri-containerd.image"==managed')).split('\n');
      const missing = recipes.filter(({ name }) => !known.includes(name));
      if (missing.length === 0) return;
      if (Date.now() > deadline) throw new Error(`CRI does not know ${missing.map(({ name }) => name).join(', ')}`);
      await delay(20);
    }
  }

  ctr(...args: readonly string[]): Promise<string> {
    return host('ctr', '-a', this.socket, '-n', 'k8s.io', ...args);
  }

  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  async powerCut(): Promise<void> {
    await this.kill();
    await loseVolatile(this.#place, this.stateDir);
    await this.start();
  }

  freeze(): void {
    if (this.pid === undefined) return;
    signal(this.pid, 'SIGSTOP');
    waitUntilStopped(this.pid);
  }

  thaw(): void {
    if (this.pid) signal(this.pid, 'SIGCONT');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await removeLeftovers(this.#place);
  }

  async #import(recipe: ImageRecipe): Promise<void> {
    const path = join(this.folder, `image-${(this.#archives += 1)}.tar`);
    writeFileSync(path, buildImage(recipe));
    await this.ctr('images', 'import', '--snapshotter', this.#snapshotter, path);
    rmSync(path);
  }

  async #end(name: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    if (!child) return;
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    // A frozen process hears nothing but SIGKILL.
    this.thaw();
    child.kill(name);
    await gone;
  }
}

function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(socket, () => {
      probe.destroy();
      resolve(true);
    }).once('error', () => resolve(false));
  });
}
