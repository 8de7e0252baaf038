/** Sources that are remembered for one port of a service. */
export const AFFINITY_SOURCES = 10_000;

/** Which endpoint a source address was given, for a time after it last came (`sessionAffinity: ClientIP`). Bounded: the one that came longest ago is forgotten first. */
export class AffinityTable {
  readonly #timeoutMs: number;
  readonly #limit: number;
  readonly #sources = new Map<string, { key: string; until: number }>();

  /** @param deps.seconds how long a source is remembered; Kubernetes' usual is 10800 */
  constructor(deps: { seconds: number; limit?: number }) {
    this.#timeoutMs = deps.seconds * 1000;
    this.#limit = deps.limit ?? AFFINITY_SOURCES;
  }

  /** The key of the endpoint that this source has. */
  find(source: string, nowMs: number): string | undefined {
    const entry = this.#sources.get(source);
    return entry === undefined || entry.until <= nowMs ? undefined : entry.key;
  }

  /** The source came and was given this endpoint. */
  keep(source: string, key: string, nowMs: number): void {
    this.#sources.delete(source);
    this.#sources.set(source, { key, until: nowMs + this.#timeoutMs });
    if (this.#sources.size > this.#limit) this.#sources.delete(this.#sources.keys().next().value as string);
  }

  get size(): number {
    return this.#sources.size;
  }
}
