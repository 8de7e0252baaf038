/** Bounds of connections that the agent itself carries. */
export interface ProxyLimits {
  /** At the same time, of all services together; one above is closed at once. */
  readonly connections: number;
  /** For one attempt to reach an endpoint. */
  readonly connectMs: number;
  /** Endpoints that are tried for one connection. */
  readonly attempts: number;
  /** Nothing sent or received either way. */
  readonly idleMs: number;
  /** The same after one side has ended its half. */
  readonly halfClosedMs: number;
  /** For the head of a request, and for the first bytes that tell what is spoken. */
  readonly headMs: number;
  /** Clients of one UDP port that are told apart; one more takes the place of the one that was silent longest. */
  readonly udpSessions: number;
  readonly udpIdleMs: number;
}

export const PROXY_LIMITS: ProxyLimits = {
  connections: 10_000,
  connectMs: 3_000,
  attempts: 3,
  idleMs: 7_200_000,
  halfClosedMs: 600_000,
  headMs: 20_000,
  udpSessions: 1_000,
  udpIdleMs: 60_000,
};

/** How many connections there are. */
export class Room {
  readonly #limit: number;
  #taken = 0;

  constructor(deps: { limit: number }) {
    this.#limit = deps.limit;
  }

  /** @returns what gives the place back, undefined when there is none */
  take(): (() => void) | undefined {
    if (this.#taken >= this.#limit) return undefined;
    this.#taken += 1;
    let isTaken = true;
    return () => {
      if (isTaken) this.#taken -= 1;
      isTaken = false;
    };
  }

  get taken(): number {
    return this.#taken;
  }
}
