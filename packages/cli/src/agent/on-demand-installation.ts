import { EdgeError } from '@edge/core';
import type { InstallationReport, NodeInstallation } from '@edge/taskmanager';

/**
 * The installation that this agent runs from, opened when a job wants it: one that is damaged, or none at all, keeps no agent from
 * starting, and fails the job with the reason.
 */
export class OnDemandInstallation implements NodeInstallation {
  readonly #open: () => Promise<NodeInstallation>;
  readonly #exists: boolean;
  readonly #version: string;
  #opened: Promise<NodeInstallation> | undefined;

  /**
   * @param deps exists: whether the agent runs from an installation; version: what it is otherwise, as jobs write it; open: throws
   * with what is wrong with it
   */
  constructor(deps: { exists: boolean; version: string; open: () => Promise<NodeInstallation> }) {
    this.#open = deps.open;
    this.#exists = deps.exists;
    this.#version = deps.version;
  }

  async running(): Promise<string> {
    return this.#exists ? (await this.#installation()).running() : this.#version;
  }

  async prepare(order: { readonly version: string; readonly digest?: string }, signal: AbortSignal): Promise<void> {
    await (await this.#installation()).prepare(order, signal);
  }

  async backUp(signal: AbortSignal): Promise<{ readonly from: string; readonly to: string }> {
    return (await this.#installation()).backUp(signal);
  }

  async upgrade(order: { readonly version: string; readonly readyTimeoutSeconds?: number }): Promise<void> {
    await (await this.#installation()).upgrade(order);
  }

  async rollBack(order: { readonly version?: string }): Promise<void> {
    await (await this.#installation()).rollBack(order);
  }

  async updateConfiguration(fields: Readonly<Record<string, string>>): Promise<void> {
    await (await this.#installation()).updateConfiguration(fields);
  }

  /** Without an installation nothing was ever begun. */
  async isBusy(): Promise<boolean> {
    return this.#exists && (await this.#installation()).isBusy();
  }

  async report(): Promise<InstallationReport | undefined> {
    return this.#exists ? (await this.#installation()).report() : undefined;
  }

  async dropReport(): Promise<void> {
    if (this.#exists) await (await this.#installation()).dropReport();
  }

  /** What could not be opened is tried again with the next job. */
  #installation(): Promise<NodeInstallation> {
    this.#opened ??= this.#open().catch((error: unknown) => {
      this.#opened = undefined;
      throw error;
    });
    return this.#opened;
  }
}

/**
 * For an agent that runs from somewhere else: jobs that would change it fail.
 * @param version what it is, as jobs write it
 */
export function noInstallation(version: string): NodeInstallation {
  const open = (): Promise<never> =>
    Promise.reject(new EdgeError('cli.no-installation', 'this agent does not run from an installation, so jobs change neither its version nor its configuration; "edgecore install" makes one'));
  return new OnDemandInstallation({ exists: false, version, open });
}
