import { readFile, rm, stat, statfs } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { EdgeError, Logger } from '@edge/core';
import { sizeOfData } from './change/copies.js';
import type { AgentStatus } from './change/judge.js';
import { readJournal, readLast, writeJournal, type Finished, type Journal } from './change/journal.js';
import { readJson, readOptional, removeFile, replaceFile } from './disk/files.js';
import { upgradeError, UpgradeErrors } from './errors.js';
import { newestVersion, prepareVersion } from './fetch/prepare-version.js';
import type { Source } from './fetch/source.js';
import type { PrepareOrder, Report, UpgradeOrder } from './installation-orders.js';
import type { Layout } from './layout/layout.js';
import type { Place } from './layout/place.js';
import { versionLabel, versionName } from './layout/version-name.js';
import type { Versions } from './layout/versions.js';
import { runningAgent } from './process/agent-process.js';
import { withOrderLock } from './process/order-lock.js';
import { isAlive } from './process/process-mark.js';
import type { ReportFile } from './report/report-file.js';

/** Room that is left on the disk besides what a change needs, in bytes. */
const SPARE_BYTES = 16 * 1024 * 1024;

/** The upgrader is a program of its own that has to be loaded; on a small machine this takes its time. */
const TAKE_OVER_MS = 120_000;

export interface InstallationDeps {
  readonly layout: Layout;
  readonly place: Place;
  readonly versions: Versions;
  readonly reports: ReportFile;
  readonly source: Source;
  /** Path of the agent's database. */
  readonly databasePath: string;
  /** Seconds, where an order does not say. */
  readonly readyTimeoutSeconds: number;
  readonly settleSeconds: number;
  /**
   * The text of a configuration with fields changed.
   * @throws naming the field and the value, and what would be right; the whole of it is checked
   */
  readonly editConfiguration: (text: string, fields: Readonly<Record<string, string>>) => Promise<string> | string;
  /** Copies the agent's database and configuration to a folder while they are in use; only the agent itself can. */
  readonly copyData?: ((folder: string) => Promise<void>) | undefined;
  /** Starts the process that carries out the change, with the program of the version that is kept for it. */
  readonly startUpgrader: (main: string) => Promise<void>;
  readonly log: Logger;
}

/** The versions of the agent on this node, and how they are changed. */
export class Installation {
  readonly #deps: InstallationDeps;

  constructor(deps: InstallationDeps) {
    this.#deps = deps;
  }

  /** The version that is in use, as node jobs write it. */
  async running(): Promise<string> {
    return versionLabel(await this.#current());
  }

  /** The newest version that the source has. */
  newest(signal: AbortSignal): Promise<string> {
    return newestVersion(this.#deps.source, signal);
  }

  /**
   * Fetches a version, checks it by its digests, and lays it beside the one that runs. Whatever fails, nothing else has changed.
   * @throws EdgeError `upgrade.*`, with what can be done about it
   */
  async prepare(order: PrepareOrder, signal: AbortSignal): Promise<void> {
    const { layout, versions, source, log } = this.#deps;
    await this.#alone(() => prepareVersion(versionName(order.version), order.digest, { layout, versions, source, log, signal }));
  }

  /** Copies database and configuration below `<state folder>/backup/<version>`. `from` and `to` are versions, the same one. */
  async backUp(_signal: AbortSignal): Promise<{ readonly from: string; readonly to: string }> {
    const { copyData, place } = this.#deps;
    if (copyData === undefined) throw upgradeError(UpgradeErrors.noInstallation, 'data that are in use can be copied by the agent alone');
    const version = await this.running();
    await this.#alone(() => copyData(join(place.stateFolder, 'backup', version)));
    return { from: version, to: version };
  }

  /**
   * Hands an upgrade over to a process outside of the agent, which stops it, switches, starts it, watches, and goes back by itself
   * when the version is not Ready in time. Resolves when that process has taken over. The version has to be prepared.
   */
  async upgrade(order: Omit<UpgradeOrder, 'readyTimeoutSeconds'> & Partial<UpgradeOrder>): Promise<void> {
    const to = versionName(order.version);
    await this.#alone(() => this.#change({ event: 'Upgrade', to, readyTimeoutSeconds: order.readyTimeoutSeconds }));
  }

  /**
   * The way back to a version that is kept, the one from before unless named; done as an upgrade is. After an upgrade or a change
   * of the configuration that was taken back already nothing is left to do, and the report says so.
   */
  async rollBack(order: { readonly version?: string | undefined; readonly readyTimeoutSeconds?: number }): Promise<void> {
    const { layout, versions, reports } = this.#deps;
    const [current, last] = [await this.#current(), await readLast(layout)];
    const wanted = order.version === undefined ? undefined : versionName(order.version);
    const takenBack = last !== undefined && !last.success && last.from === current && last.event !== 'Rollback';
    if (takenBack && (wanted === undefined || wanted === current)) {
      await this.#mustBeIdle();
      await reports.write({ event: 'Rollback', success: true, fromVersion: versionLabel(last.to), toVersion: versionLabel(current) });
      return;
    }
    const to = wanted ?? (await versions.previous());
    if (to === undefined) throw upgradeError(UpgradeErrors.noVersion, 'there is no version from before to go back to');
    await this.#alone(() => this.#change({ event: 'Rollback', to, readyTimeoutSeconds: order.readyTimeoutSeconds }));
  }

  /** Checks the configuration with these fields changed, and has the agent start with it, watched as an upgrade is. */
  async updateConfiguration(fields: Readonly<Record<string, string>>): Promise<void> {
    const { layout, place, editConfiguration } = this.#deps;
    await this.#alone(async () => {
      const before = await readFile(place.configPath, 'utf8');
      const after = await editConfiguration(before, fields);
      const mode = (await stat(place.configPath)).mode & 0o777;
      await replaceFile(layout.configurationBefore, before, mode);
      await replaceFile(layout.configurationAfter, after, mode);
      await this.#change({ event: 'ConfigUpdate', to: await this.#current(), readyTimeoutSeconds: undefined });
    });
  }

  /** What came of the last change, once it is at its end; stays until `dropReport`. */
  async report(): Promise<Report | undefined> {
    return (await this.isBusy()) ? undefined : this.#deps.reports.read();
  }

  /** The last change that came to its end, also after its report was dropped. */
  lastChange(): Promise<Finished | undefined> {
    return readLast(this.#deps.layout);
  }

  async dropReport(): Promise<void> {
    await this.#deps.reports.drop();
  }

  /** Whether a change is under way: until it is not, no report says how it ended. */
  async isBusy(): Promise<boolean> {
    return (await readJournal(this.#deps.layout)) !== undefined;
  }

  /** Has the installation for itself, also against other processes; what is under way already goes before. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    return withOrderLock(this.#deps.place.stateFolder, async () => {
      await this.#mustBeIdle();
      return work();
    });
  }

  async #change({ event, to, readyTimeoutSeconds }: { event: Journal['event']; to: string; readyTimeoutSeconds: number | undefined }): Promise<void> {
    const { layout, versions, databasePath, log, startUpgrader, reports } = this.#deps;
    const from = await this.#current();
    if (event !== 'ConfigUpdate' && to === from) throw upgradeError(UpgradeErrors.badVersion, `version ${versionLabel(to)} runs already`);
    if (!versions.isWhole(to)) throw upgradeError(UpgradeErrors.noVersion, `version ${versionLabel(to)} is not on this node; there are ${(await versions.list()).map(versionLabel).join(', ')}`);
    await this.#mustHaveRoom();
    const [before, status] = [await versions.previous(), await this.#status()];
    const journal: Journal = {
      id: randomUUID(),
      event,
      from,
      to,
      ...(before === undefined ? {} : { before }),
      phase: 'begun',
      attempts: 0,
      readyTimeoutSeconds: readyTimeoutSeconds ?? this.#deps.readyTimeoutSeconds,
      settleSeconds: this.#deps.settleSeconds,
      needsLink: status?.link ?? false,
      tolerated: status?.waitingFor.map(({ what }) => what) ?? [],
      databasePath,
    };
    await reports.drop();
    await rm(layout.log, { force: true });
    await versions.keepWith(from);
    await writeJournal(layout, journal);
    log.info('a change of the installation is handed over', { event, from, to, readyTimeoutSeconds: journal.readyTimeoutSeconds });
    try {
      await startUpgrader(versions.main(from));
    } catch (error) {
      // Who is told that it failed must not be upgraded by the next start.
      await removeFile(layout.journal);
      throw error;
    }
    await this.#takenOver(journal.id);
  }

  /** Resolves when the upgrader is at work. One that does not come takes its order back. */
  async #takenOver(id: string): Promise<void> {
    const { layout } = this.#deps;
    for (let waited = 0; waited < TAKE_OVER_MS; waited += 50) {
      const journal = await readJournal(layout);
      if (journal?.id !== id || journal.attempts > 0 || isAlive(await readOptional(layout.upgrader))) return;
      await pause(50);
    }
    await removeFile(layout.journal);
    const said = (await readOptional(layout.log))?.trim().split('\n').slice(-3).join('; ');
    throw upgradeError(UpgradeErrors.notTakenOver, `the process that carries out the change did not start; ${layout.log} says: ${said ?? 'nothing'}`);
  }

  async #current(): Promise<string> {
    const { versions, layout } = this.#deps;
    const current = await versions.current();
    if (current === undefined) throw upgradeError(UpgradeErrors.noInstallation, `there is no installation in ${layout.root}; "edgecore install" makes one`);
    return current;
  }

  async #mustBeIdle(): Promise<void> {
    const journal = await readJournal(this.#deps.layout);
    if (journal !== undefined) throw busy(journal);
  }

  async #mustHaveRoom(): Promise<void> {
    const { databasePath, place } = this.#deps;
    const needed = (await sizeOfData({ database: databasePath, configuration: place.configPath })) + SPARE_BYTES;
    const { bavail, bsize } = await statfs(place.stateFolder);
    if (bavail * bsize < needed) {
      const mebi = (bytes: number): number => Math.ceil(bytes / 2 ** 20);
      throw upgradeError(UpgradeErrors.diskFull, `there is no room for a copy of the data in ${place.stateFolder}: ${mebi(bavail * bsize)} MiB are free, ${mebi(needed)} MiB are needed`);
    }
  }

  /** How the agent that runs is; `undefined` when none does. */
  async #status(): Promise<AgentStatus | undefined> {
    const { layout } = this.#deps;
    const status = (await readJson(layout.status)) as AgentStatus | undefined;
    return status !== undefined && status.pid === (await runningAgent(layout)) ? status : undefined;
  }
}

function busy({ event, from, to, phase }: Journal): EdgeError {
  return upgradeError(UpgradeErrors.busy, `another change is under way: ${event} from ${versionLabel(from)} to ${versionLabel(to)} (${phase})`);
}
