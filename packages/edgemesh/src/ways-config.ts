import { EdgeError } from '@edge/core';
import { isFields } from '@edge/protocol';
import { STRATEGIES, type Strategy } from './balance/strategy.js';
import { parseRange, RANGE_EXPECTED } from './own-address/range.js';

export const WAYS_PATH = 'edge.edgeMesh.proxy';

/** The slice `edge.edgeMesh.proxy`: how connections to cluster addresses reach endpoints. */
export interface WaysConfig {
  /** Default true. */
  readonly enable: boolean;
  /**
   * `nftables`, `iptables`: the kernel sends connections on by rules of these. `listeners`: the agent carries them all, without any
   * rules, at the same cluster addresses. `auto`, the default: the first of them that can be had. `own-address`: the agent carries
   * them all at addresses of the node's own, which the names of services lead to.
   */
  readonly intercept: 'auto' | 'nftables' | 'iptables' | 'listeners' | 'own-address';
  /** What those addresses are taken of; empty, the default: 240.96.0.0/16, or 127.96.0.0/16 where the agent may make no route. */
  readonly ownRange: string;
  /** Default RoundRobin; a service's annotation `mesh.edge/balance` goes before it. */
  readonly strategy: Strategy;
  /** `spread`, the default: all endpoints alike. `near`: those of this node while one is there. */
  readonly locality: 'spread' | 'near';
  /** Seconds between checks of endpoints; 0: none. Default 10. */
  readonly checkSeconds: number;
  /** Connections that the agent itself carries at the same time, and no more than open files allow. Default 10000. */
  readonly maxConnections: number;
  /** Seconds without a byte either way, after which a carried connection is closed. Default 7200. */
  readonly idleSeconds: number;
  /** Seconds that rules of nftables go on sending new connections on after an orderly end of the agent; 0, the default: rules are removed at once. Open connections live on in either case. */
  readonly lapseSeconds: number;
}

/** @throws EdgeError `config.invalid` naming the member, its value and what would be right */
export function parseWaysConfig(raw: unknown): WaysConfig {
  const slice = isFields(raw) ? raw : {};
  const oneOf = <T extends string>(name: string, allowed: readonly T[]): T => {
    const value = slice[name] ?? allowed[0];
    const found = allowed.find((known) => known === value);
    if (found === undefined) throw invalid(name, value, `one of ${allowed.join(', ')}`);
    return found;
  };
  const whole = (name: string, otherwise: number, least: number, most: number): number => {
    const value = slice[name] ?? otherwise;
    if (!Number.isInteger(value) || (value as number) < least || (value as number) > most) throw invalid(name, value, `a whole number from ${least} to ${most}`);
    return value as number;
  };
  const { enable = true } = slice;
  if (typeof enable !== 'boolean') throw invalid('enable', enable, 'true or false');
  const { ownRange = '' } = slice;
  if (typeof ownRange !== 'string' || (ownRange !== '' && parseRange(ownRange) === undefined)) throw invalid('ownRange', ownRange, RANGE_EXPECTED);
  return {
    enable,
    intercept: oneOf('intercept', ['auto', 'nftables', 'iptables', 'listeners', 'own-address']),
    ownRange,
    strategy: oneOf('strategy', STRATEGIES),
    locality: oneOf('locality', ['spread', 'near']),
    checkSeconds: whole('checkSeconds', 10, 0, 86_400),
    maxConnections: whole('maxConnections', 10_000, 1, 1_000_000),
    idleSeconds: whole('idleSeconds', 7_200, 1, 604_800),
    lapseSeconds: whole('lapseSeconds', 0, 0, 86_400),
  };
}

function invalid(name: string, value: unknown, expected: string): EdgeError {
  return new EdgeError('config.invalid', `${WAYS_PATH}.${name} is ${JSON.stringify(value)}, it must be ${expected}`);
}
