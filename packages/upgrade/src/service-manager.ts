/** What keeps the agent running: how it is stopped and started by those who change it. */
export interface ServiceManager {
  /** Ends the agent and keeps it from being started until `start`. Resolves when it has ended. */
  stop(): Promise<void>;
  /** Lets it run (again). Resolves when it was asked for, not when the agent is ready. */
  start(): Promise<void>;
  /** Process id of the agent, `undefined` while it does not run. */
  running(): Promise<number | undefined>;
}
