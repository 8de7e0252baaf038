import { readFile, stat } from 'node:fs/promises';
import { hostPort } from '@edge/protocol';
import { serverOf, type Server } from '../config.js';

/** How often the resolver file is looked at: it changes with each network that a node is plugged into. */
const LOOK_MS = 2000;
/** More than that no resolver uses. */
const MOST_SERVERS = 3;
/** A server that did not answer comes last for so long. */
const BENCH_MS = 10_000;

/** Who is asked for names elsewhere: the configured servers, or those of the node's own resolver file, and never this one. */
export class UpstreamServers {
  readonly #configured: readonly Server[];
  readonly #file: string;
  readonly #own: () => Server;
  readonly #now: () => number;
  #read: readonly Server[] = [];
  #mark = '';
  #looked = -Infinity;
  #looking: Promise<void> | undefined;
  readonly #benched = new Map<string, number>();

  constructor(deps: { configured: readonly Server[]; file: string; own: () => Server; now?: () => number }) {
    this.#configured = deps.configured;
    this.#file = deps.file;
    this.#own = deps.own;
    this.#now = deps.now ?? ((): number => performance.now());
  }

  /** In the order in which they are to be asked. */
  async list(): Promise<readonly Server[]> {
    if (this.#configured.length === 0 && this.#now() - this.#looked >= LOOK_MS) await (this.#looking ??= this.#look().finally(() => (this.#looking = undefined)));
    const own = this.#own();
    const servers = (this.#configured.length > 0 ? this.#configured : this.#read).filter(({ address, port }) => address !== own.address || port !== own.port);
    const now = this.#now();
    const isBenched = (server: Server): boolean => (this.#benched.get(keyOf(server)) ?? 0) > now;
    return [...servers.filter((server) => !isBenched(server)), ...servers.filter(isBenched)];
  }

  /** What came of asking it. */
  report(server: Server, answered: boolean): void {
    if (answered) this.#benched.delete(keyOf(server));
    else this.#benched.set(keyOf(server), this.#now() + BENCH_MS);
  }

  async #look(): Promise<void> {
    this.#looked = this.#now();
    try {
      const { mtimeMs, size, ino } = await stat(this.#file);
      const mark = `${mtimeMs} ${size} ${ino}`;
      if (mark === this.#mark) return;
      this.#read = serversIn(await readFile(this.#file, 'utf8'));
      this.#mark = mark;
      this.#benched.clear();
    } catch {
      // A node without the file has nobody to ask; what was read before may still be right.
      this.#mark = '';
    }
  }
}

const keyOf = ({ address, port }: Server): string => hostPort(address, port);

/** Servers of a resolver file (resolv.conf(5)); a zone behind an address is kept out, as it names a link of another network. */
export function serversIn(text: string): readonly Server[] {
  return text.split('\n').flatMap((line) => {
    const server = /^\s*nameserver\s+([^\s#;]+)/.exec(line)?.[1];
    return (server === undefined ? undefined : serverOf(server)) ?? [];
  }).slice(0, MOST_SERVERS);
}
