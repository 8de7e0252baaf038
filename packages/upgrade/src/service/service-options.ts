/** What the service runs, and how. */
export interface ServiceOptions {
  /** Absolute path of the launcher. */
  readonly program: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Seconds that an orderly stop may take before the agent is killed. */
  readonly stopSeconds: number;
  /** -1000 to 1000. Not for pods as plain processes of the machine: they inherit it. */
  readonly oomScoreAdjust?: number;
}
