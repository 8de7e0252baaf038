import type { SystemCommand } from './commands.js';

/** Marks the routes of this agent among all others; `ip route show proto 236` lists them. */
const PROTOCOL = '236';

/** The kernel's routes to cluster addresses. */
export interface Route {
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
    const wanted = new Set(routes.map(routeLine));
    const present = this.#present ?? (await this.#left());
    this.#present = undefined;
    const lines = [...[...present].filter((line) => !wanted.has(line)).map((line) => `route del ${line}`), ...[...wanted].filter((line) => !present.has(line)).map((line) => `route replace ${line}`)];
    if (lines.length > 0) await this.#ip(['-force', '-batch', '-'], `${lines.join('\n')}\n`);
    this.#present = wanted;
  }

  /** What a predecessor left, or somebody removed meanwhile. */
  async #left(): Promise<ReadonlySet<string>> {
    const lines = new Set<string>();
    for (const family of ['-4', '-6']) {
      const listed = await this.#ip([family, '-json', 'route', 'show', 'table', 'all', 'proto', PROTOCOL]).catch(() => '[]');
      for (const { dst, type = 'unicast' } of JSON.parse(listed || '[]') as { dst: string; type?: Route['type'] }[]) lines.add(routeLine({ address: dst.replace(/\/.*$/, ''), type }));
    }
    return lines;
  }

  /** Somebody may have removed them: the next `sync` looks. */
  doubt(): void {
    this.#present = undefined;
  }
}

/** IPv6 knows no other route through the loopback than to an own address. */
function routeLine({ address, type }: Route): string {
  return address.includes(':') ? `local ${address}/128 dev lo proto ${PROTOCOL}` : `${type} ${address}/32 dev lo proto ${PROTOCOL}`;
}
