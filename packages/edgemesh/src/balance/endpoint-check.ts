import { setMaxListeners } from 'node:events';
import { connect } from 'node:net';
import type { Endpoint, MeshService } from '../data/service-table.js';
import { endpointKey } from './endpoint.js';

/** How endpoints are checked. */
export interface CheckRules {
  /** Between the beginnings of two rounds; a round of very many endpoints takes longer. Milliseconds. */
  readonly everyMs: number;
  readonly timeoutMs: number;
  /** Under way at the same time. */
  readonly parallel: number;
  /** In a row, until it counts as dead. */
  readonly failures: number;
}

export const CHECK_RULES: Omit<CheckRules, 'everyMs'> = { timeoutMs: 2_000, parallel: 16, failures: 2 };

/**
 * Which endpoints are worth a check: TCP ones that take connections, of services that have another to turn to. The
 * kernel does not tell whether connections come about, and while the cloud is away nobody else does either. Pure.
 */
export function checkedEndpoints(services: Iterable<MeshService>): ReadonlyMap<string, Endpoint> {
  const found = new Map<string, Endpoint>();
  for (const { ports, foreignProxy, clusterIPs } of services) {
    if (foreignProxy || clusterIPs.length === 0) continue;
    for (const { protocol, endpoints } of ports) {
      const ready = protocol === 'TCP' ? endpoints.filter((endpoint) => endpoint.ready) : [];
      if (ready.length > 1) for (const endpoint of ready) found.set(endpointKey(endpoint), endpoint);
    }
  }
  return found;
}

export type TryEndpoint = (endpoint: Pick<Endpoint, 'address' | 'port'>, timeoutMs: number, signal: AbortSignal) => Promise<boolean>;

/** Which endpoints take no connection. [edgemesh-40] */
export class EndpointCheck {
  readonly #rules: CheckRules;
  readonly #tries: TryEndpoint;
  readonly #failures = new Map<string, number>();

  constructor(deps: { rules: CheckRules; tries?: TryEndpoint }) {
    this.#rules = deps.rules;
    this.#tries = deps.tries ?? takesConnection;
  }

  /** Keys of all that are. */
  dead(): readonly string[] {
    return [...this.#failures.keys()].filter(this.isDead);
  }

  readonly isDead = (key: string): boolean => (this.#failures.get(key) ?? 0) >= this.#rules.failures;

  /**
   * Asks each once.
   * @returns keys of those that died, and of those that are back
   */
  async round(endpoints: ReadonlyMap<string, Endpoint>, signal: AbortSignal): Promise<{ readonly died: readonly string[]; readonly back: readonly string[] }> {
    const died: string[] = [];
    const back: string[] = [];
    for (const key of this.#failures.keys()) if (!endpoints.has(key)) this.#failures.delete(key);
    // One listener for each that is under way.
    const own = AbortSignal.any([signal]);
    setMaxListeners(this.#rules.parallel + 1, own);
    const waiting = [...endpoints].values();
    const work = async (): Promise<void> => {
      for (const [key, endpoint] of waiting) {
        const takes = await this.#tries(endpoint, this.#rules.timeoutMs, own);
        if (signal.aborted) return;
        const wasDead = this.isDead(key);
        if (takes) this.#failures.delete(key);
        else this.#failures.set(key, Math.min(this.#rules.failures, (this.#failures.get(key) ?? 0) + 1));
        if (this.isDead(key) !== wasDead) (wasDead ? back : died).push(key);
      }
    };
    await Promise.all(Array.from({ length: Math.min(this.#rules.parallel, endpoints.size) }, work));
    return { died, back };
  }
}

/** A connection comes about; nothing is sent. */
export function takesConnection({ address, port }: Pick<Endpoint, 'address' | 'port'>, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const timer = setTimeout(() => settle(false), timeoutMs);
    const onAbort = (): void => settle(false);
    const settle = (result: boolean): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      resolve(result);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    socket.on('connect', () => settle(true));
    socket.on('error', () => settle(false));
  });
}
