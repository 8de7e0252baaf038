/** When an endpoint counts as dead, and for how long. Milliseconds. */
export interface HealthRules {
  /** Failures in a row. */
  readonly failures: number;
  /** The first ejection; each one after it that follows a failed trial is twice as long. */
  readonly firstMs: number;
  readonly limitMs: number;
  /** How long a trial may take before another is allowed. */
  readonly trialMs: number;
}

export const HEALTH_RULES: HealthRules = { failures: 2, firstMs: 5_000, limitMs: 300_000, trialMs: 10_000 };

interface Standing {
  failures: number;
  ejections: number;
  /** No connection goes there before. 0: not ejected. */
  until: number;
}

/**
 * What is known of endpoints from connections that failed: well, ejected, and after a while let in for one trial that
 * decides. Times are given to it; it has no clock. [edgemesh-40]
 */
export class HealthBook {
  readonly #rules: HealthRules;
  readonly #records = new Map<string, Standing>();

  constructor(deps: { rules?: HealthRules } = {}) {
    this.#rules = deps.rules ?? HEALTH_RULES;
  }

  isEjected(key: string, nowMs: number): boolean {
    return (this.#records.get(key)?.until ?? 0) > nowMs;
  }

  /** A connection goes there now. After an ejection it is the trial: others stay away until its outcome is told. */
  tried(key: string, nowMs: number): void {
    const record = this.#records.get(key);
    if (record !== undefined && record.until > 0 && record.until <= nowMs) record.until = nowMs + this.#rules.trialMs;
  }

  /** @returns true when this failure ejected it, so that it is said once */
  failed(key: string, nowMs: number): boolean {
    const { failures, firstMs, limitMs } = this.#rules;
    const record = this.#records.get(key) ?? { failures: 0, ejections: 0, until: 0 };
    this.#records.set(key, record);
    record.failures += 1;
    if (record.failures < failures) return false;
    const isNew = record.ejections === 0;
    record.until = nowMs + Math.min(limitMs, firstMs * 2 ** Math.min(record.ejections, 30));
    record.ejections += 1;
    return isNew;
  }

  /** @returns true when it was ejected before */
  succeeded(key: string): boolean {
    const wasEjected = (this.#records.get(key)?.ejections ?? 0) > 0;
    this.#records.delete(key);
    return wasEjected;
  }

  /** Forgets all that are no more. */
  keepOnly(keys: ReadonlySet<string>): void {
    for (const key of this.#records.keys()) if (!keys.has(key)) this.#records.delete(key);
  }

  get size(): number {
    return this.#records.size;
  }
}
