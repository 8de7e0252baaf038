import type { InstallationReport, NodeInstallation } from '../src/index.js';

/** What a node has of versions; outlives the agent. */
export class FakeInstallation implements NodeInstallation {
  version = 'v1.23.1';
  readonly prepared: { version: string; digest?: string }[] = [];
  /** Orders that were handed over, in their order. */
  readonly orders: string[] = [];
  /** A change is under way. */
  busy = false;
  #left: InstallationReport | undefined;
  #preparing = false;
  /** What fails, and how. */
  readonly failures: Partial<Record<'prepare' | 'backUp' | 'upgrade' | 'rollBack' | 'updateConfiguration', string>> = {};
  /** What comes of something that is handed over; nothing unless given: then it is under way. */
  onOrder: (order: string) => void = () => undefined;
  /** Ends waiting in `prepare`. */
  hold: Promise<void> = Promise.resolve();

  get left(): InstallationReport | undefined {
    return this.#left;
  }

  /** The process outside of the agent is done. */
  set left(report: InstallationReport | undefined) {
    this.#left = report;
    this.busy = false;
  }

  running(): Promise<string> {
    return Promise.resolve(this.version);
  }

  async prepare(order: { version: string; digest?: string }): Promise<void> {
    this.#preparing = true;
    await this.hold;
    this.#preparing = false;
    this.#fail('prepare');
    this.prepared.push(order);
  }

  backUp(): Promise<{ from: string; to: string }> {
    if (this.#preparing) throw new Error('a version is being fetched');
    this.#fail('backUp');
    return Promise.resolve({ from: this.version, to: this.version });
  }

  upgrade(order: { version: string; readyTimeoutSeconds?: number }): Promise<void> {
    return this.#hand('upgrade', `upgrade ${order.version} ${order.readyTimeoutSeconds ?? '-'}`);
  }

  rollBack(order: { version?: string }): Promise<void> {
    return this.#hand('rollBack', `rollBack ${order.version ?? '-'}`);
  }

  updateConfiguration(fields: Readonly<Record<string, string>>): Promise<void> {
    return this.#hand('updateConfiguration', `update ${JSON.stringify(fields)}`);
  }

  isBusy(): Promise<boolean> {
    return Promise.resolve(this.busy);
  }

  report(): Promise<InstallationReport | undefined> {
    return Promise.resolve(this.left);
  }

  dropReport(): Promise<void> {
    this.#left = undefined;
    return Promise.resolve();
  }

  #hand(what: keyof FakeInstallation['failures'], order: string): Promise<void> {
    this.#fail(what);
    this.orders.push(order);
    this.busy = true;
    this.onOrder(order);
    return Promise.resolve();
  }

  #fail(what: keyof FakeInstallation['failures']): void {
    const text = this.failures[what];
    if (text !== undefined) throw new Error(text);
  }
}
