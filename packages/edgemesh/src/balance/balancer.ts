import type { Endpoint } from '../data/service-table.js';
import { AffinityTable } from './affinity.js';
import { candidates, type CandidateRules } from './candidates.js';
import { endpointKey } from './endpoint.js';
import type { HealthBook } from './health.js';
import { pick, type Strategy } from './strategy.js';

/** What a port of a service wants. */
export interface BalanceOptions {
  readonly strategy: Strategy;
  /** Seconds that a source stays with its endpoint; undefined: it does not. */
  readonly affinitySeconds?: number;
}

/** Gives the connections of one port of a service their endpoints, where the agent itself carries them. */
export class Balancer {
  readonly #health: HealthBook;
  readonly #isDead: (key: string) => boolean;
  readonly #rules: Omit<CandidateRules, 'isEjected'>;
  readonly #strategy: Strategy;
  readonly #affinity: AffinityTable | undefined;
  readonly #now: () => number;
  readonly #random: () => number;
  readonly #open = new Map<string, number>();
  #endpoints: readonly Endpoint[] = [];
  #turn = 0;

  /** @param deps.isDead true for an endpoint that does not answer the agent's own check */
  constructor(deps: { health: HealthBook; isDead?: (key: string) => boolean; rules: Omit<CandidateRules, 'isEjected'>; options: BalanceOptions; now: () => number; random: () => number }) {
    this.#health = deps.health;
    this.#isDead = deps.isDead ?? (() => false);
    this.#rules = deps.rules;
    this.#strategy = deps.options.strategy;
    this.#affinity = deps.options.affinitySeconds === undefined ? undefined : new AffinityTable({ seconds: deps.options.affinitySeconds });
    this.#now = deps.now;
    this.#random = deps.random;
  }

  setEndpoints(endpoints: readonly Endpoint[]): void {
    this.#endpoints = endpoints;
  }

  /** An endpoint for a connection from this address, none of those that were tried for it already; undefined when there is none. */
  choose(source: string, tried: ReadonlySet<string> = new Set()): Endpoint | undefined {
    const now = this.#now();
    const all = candidates(this.#endpoints, { ...this.#rules, isEjected: (key) => this.#isDead(key) || this.#health.isEjected(key, now) });
    const untried = all.filter((endpoint) => !tried.has(endpointKey(endpoint)));
    // A pod with addresses of both families is one: it is called by the one that the client has too.
    const alike = untried.filter(({ address }) => address.includes(':') === source.includes(':'));
    const left = alike.length > 0 ? alike : untried;
    const kept = this.#affinity?.find(source, now);
    const chosen = left.find((endpoint) => endpointKey(endpoint) === kept) ?? pick(this.#strategy, left, { turn: this.#turn, random: this.#random(), open: (key) => this.#open.get(key) ?? 0, node: this.#rules.node });
    if (chosen === undefined) return undefined;
    this.#turn = (this.#turn + 1) % Number.MAX_SAFE_INTEGER;
    const key = endpointKey(chosen);
    this.#health.tried(key, now);
    this.#affinity?.keep(source, key, now);
    return chosen;
  }

  /** A connection to it is open. @returns what is called once when it is closed */
  opened(endpoint: Endpoint): () => void {
    const key = endpointKey(endpoint);
    this.#open.set(key, (this.#open.get(key) ?? 0) + 1);
    return () => {
      const left = (this.#open.get(key) ?? 1) - 1;
      if (left > 0) this.#open.set(key, left);
      else this.#open.delete(key);
    };
  }
}
