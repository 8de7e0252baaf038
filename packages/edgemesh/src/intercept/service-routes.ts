import type { SystemCommand } from './commands.js';

/** Marks the routes of this agent among all others: `ip route show table all proto 236` lists them. */
const MARK = '236';

/** Another metric than others' routes usually have: one of theirs to the same address stays, and is preferred. */
const METRIC = MARK;

/** The kernel's routes to cluster addresses. */
export interface Route {
  /** Of IPv4 a range as well, `240.96.0.0/16`. */
  readonly address: string;
  /** `unicast`: a way, so that programs of the node itself may begin a connection that is then sent elsewhere. `local`: the address is the node's own, and the agent listens on it. */
  readonly type: 'unicast' | 'local';
}

/**
 * Ways to cluster addresses for programs of the node: without one, and without a default route, as when the cable is out, a
 * connection would fail before any rule sees it. [edgemesh-42]
 */
export class ServiceRoutes {
  readonly #ip: SystemCommand;
  #present: ReadonlySet<string> | undefined;

  constructor(deps: { ip: SystemCommand }) {
    this.#ip = deps.ip;
  }

  /** These and no others of the agent's. Rejects with what `ip` says; the next call tries all anew. */
  async sync(routes: readonly Route[]): Promise<void> {
    await this.#only(routes.map(routeLine));
  }

  async #only(wantedLines: readonly string[]): Promise<void> {
    const wanted = new Set(wantedLines);
    const present = this.#present ?? (await this.#left());
    this.#present = undefined;
    const lines = [...[...present].filter((line) => !wanted.has(line)).map((line) => line.replace(' ', ' del ')), ...[...wanted].filter((line) => !present.has(line)).map((line) => line.replace(' ', ' replace '))];
    if (lines.length > 0) await this.#ip(['-force', '-batch', '-'], `${lines.join('\n')}\n`);
    this.#present = wanted;
  }

  /**
   * The end: none stays, but for ways to cluster addresses in a family without a default route, where open connections of the
   * node's own programs would lose theirs.
   */
  async leave(): Promise<void> {
    const present = [...(this.#present ?? (await this.#left()))];
    const kept: string[] = [];
    for (const family of ['-4', '-6'] as const) {
      const ways = present.filter((line) => line.includes(':') === (family === '-6') && !isOwnPlace(line));
      if (ways.length > 0 && (await this.#ip([family, 'route', 'show', 'default'])).trim() === '') kept.push(...ways);
    }
    await this.#only(kept);
  }

  /** What a predecessor left, or somebody removed meanwhile. */
  async #left(): Promise<ReadonlySet<string>> {
    const lines = new Set<string>();
    for (const family of ['-4', '-6']) {
      const listed = await this.#ip([family, '-json', 'route', 'show', 'table', 'all', 'proto', MARK]).catch(() => '[]');
      for (const { dst, type = 'unicast' } of JSON.parse(listed || '[]') as { dst: string; type?: Route['type'] }[]) {
        lines.add(routeLine({ address: dst.replace(/\/(?:32|128)$/, ''), type: family === '-6' ? 'unicast' : type }));
      }
    }
    const carried = await this.#ip(['-6', '-json', 'address', 'show', 'dev', 'lo']).catch(() => '[]');
    for (const { addr_info: found = [] } of JSON.parse(carried || '[]') as { addr_info?: { local: string; metric?: number }[] }[]) {
      for (const { local, metric } of found) if (metric === Number(MARK)) lines.add(routeLine({ address: local, type: 'local' }));
    }
    return lines;
  }

  /** Somebody may have removed them: the next `sync` looks. */
  doubt(): void {
    this.#present = undefined;
  }
}

/** A listener's. */
function isOwnPlace(line: string): boolean {
  return line.startsWith('address') || (line.startsWith('route local') && !line.includes(':'));
}

/**
 * Object of `ip`, and what follows its verb. IPv6 differs: it has no route through the loopback but to an own address,
 * and to listen there an address must stand on a link; its metric is the mark then.
 */
function routeLine({ address, type }: Route): string {
  if (!address.includes(':')) return `route ${type} ${address}${address.includes('/') ? '' : '/32'} dev lo proto ${MARK} metric ${METRIC}`;
  return type === 'unicast' ? `route local ${address}/128 dev lo proto ${MARK} metric ${METRIC}` : `address ${address}/128 dev lo metric ${METRIC}`;
}
