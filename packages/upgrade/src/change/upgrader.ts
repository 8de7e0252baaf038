import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText, type Logger } from '@edge/core';
import { readOptional, removeFile } from '../disk/files.js';
import type { Layout } from '../layout/layout.js';
import type { Place } from '../layout/place.js';
import { versionLabel } from '../layout/version-name.js';
import type { Versions } from '../layout/versions.js';
import { isAlive, releaseFile, takeFile } from '../process/process-mark.js';
import type { ReportFile } from '../report/report-file.js';
import type { ServiceManager } from '../service-manager.js';
import { copyData, hasCopy, restoreData, type DataPaths } from './copies.js';
import { judge, judgeReturn, type Limits } from './judge.js';
import { closeJournal, readJournal, writeJournal, type Journal, type Phase } from './journal.js';
import { nextStep, type Facts, type Step } from './next-step.js';
import { subjectOf } from './subject.js';
import { watchAgent } from './watch.js';

/** However little time a new version is given: the one from before is not held to that, for what follows is an older copy of the data. */
const LEAST_RETURN_SECONDS = 60;

export interface UpgraderDeps {
  readonly layout: Layout;
  readonly place: Place;
  readonly versions: Versions;
  readonly service: ServiceManager;
  readonly reports: ReportFile;
  readonly log: Logger;
}

/**
 * Carries out the change that the journal names, from wherever it stands, to its end. Runs in a process outside of the agent,
 * from the files of the version from before. It decides nothing: `nextStep` says what is to be done, the journal what was.
 */
export class Upgrader {
  readonly #deps: UpgraderDeps;

  constructor(deps: UpgraderDeps) {
    this.#deps = deps;
  }

  /** Resolves with true when there is nothing left to do, with false when another process carries the change out. */
  async run(): Promise<boolean> {
    const { layout, log } = this.#deps;
    const owner = await takeFile(layout.upgrader);
    if (owner !== undefined) {
      log.info('the change is carried out already', { process: owner.trim() });
      return false;
    }
    try {
      const found = await readJournal(layout);
      if (found === undefined) {
        await rm(layout.journal, { force: true });
        return true;
      }
      let journal: Journal | undefined = await this.#note({ ...found, attempts: found.attempts + 1 });
      while (journal !== undefined) journal = await this.#step(journal);
      return true;
    } finally {
      await releaseFile(layout.hold);
      await releaseFile(layout.upgrader);
    }
  }

  /** Does one step; resolves with the journal afterwards, `undefined` at the end. */
  async #step(journal: Journal): Promise<Journal | undefined> {
    const step = nextStep(journal, await this.#facts(journal));
    this.#deps.log.info('upgrade', { step: step.do, behind: journal.phase, from: journal.from, to: journal.to, ...('reason' in step ? { reason: step.reason } : {}) });
    try {
      return await this.#do(step, journal);
    } catch (error) {
      if (!isForward(journal.phase)) throw error;
      return this.#note({ ...journal, phase: 'returning', reason: errorText(error) });
    }
  }

  async #do(step: Step, journal: Journal): Promise<Journal | undefined> {
    const { service, layout, versions, place } = this.#deps;
    const subject = subjectOf(journal, layout, versions, place.configPath);
    switch (step.do) {
      case 'hold':
        await service.stop();
        return journal;
      case 'note-stopped':
        return this.#note({ ...journal, phase: step.then });
      case 'copy':
        await copyData(this.#data(journal), this.#copyFolder(journal));
        return this.#note({ ...journal, phase: 'copied' });
      case 'switch':
        await subject.switch();
        return this.#note({ ...journal, phase: 'switched' });
      case 'try': {
        const outcome = await this.#watch(journal, journal.to, judge, journal.readyTimeoutSeconds);
        if (outcome === undefined) return this.#note({ ...journal, phase: 'proven' });
        return this.#note({ ...journal, phase: 'returning', reason: outcome });
      }
      case 'give-up':
        return this.#note({ ...journal, phase: step.then, reason: step.reason });
      case 'switch-back':
        await subject.switchBack();
        return this.#note({ ...journal, phase: 'back' });
      case 'try-back': {
        const outcome = await this.#watch(journal, journal.from, judgeReturn, Math.max(journal.readyTimeoutSeconds, LEAST_RETURN_SECONDS));
        if (outcome === undefined || step.last) return this.#note({ ...journal, phase: 'returned', ...addReason(journal, outcome) });
        return this.#note({ ...journal, phase: 'unstartable', ...addReason(journal, outcome) });
      }
      case 'restore':
        await restoreData(this.#data(journal), this.#copyFolder(journal), `after-${journal.to}-${journal.id.slice(0, 8)}`);
        return this.#note({ ...journal, phase: 'restored' });
      case 'finish':
        await this.#finish(journal, step.success);
        return undefined;
    }
  }

  /** Lets the agent run and watches it; resolves with why it does not work, or `undefined`. */
  async #watch(journal: Journal, version: string, by: typeof judge, timeoutSeconds: number): Promise<string | undefined> {
    const { layout, service } = this.#deps;
    const { settleSeconds, needsLink, tolerated } = journal;
    await rm(layout.starts, { force: true });
    await service.start();
    const limits: Limits = { version, timeoutMs: timeoutSeconds * 1000, settleMs: settleSeconds * 1000, needsLink, tolerated };
    const outcome = await watchAgent(layout, limits, by);
    return outcome.verdict === 'works' ? undefined : outcome.reason;
  }

  async #finish(journal: Journal, success: boolean): Promise<void> {
    const { reports, versions, layout, service, log } = this.#deps;
    const { event, from, to, reason } = journal;
    await reports.write({ event, success, fromVersion: versionLabel(from), toVersion: versionLabel(to), ...(success ? {} : { errorMessage: reason ?? 'it did not work' }) });
    log.info(success ? 'the change was carried out' : 'the change was taken back', { event, from, to, ...(reason === undefined ? {} : { reason }) });
    if (await this.#isHeld()) await service.start();
    for (const path of [layout.configurationAfter, layout.configurationBefore, layout.starts]) await rm(path, { force: true });
    await removeFile(layout.keeper);
    await versions.prune();
    await closeJournal(layout, { ...journal, success });
  }

  async #facts(journal: Journal): Promise<Facts> {
    const { layout, versions, place } = this.#deps;
    const subject = subjectOf(journal, layout, versions, place.configPath);
    return { held: await this.#isHeld(), toWhole: subject.toWhole(), fromWhole: subject.fromWhole(), copied: hasCopy(this.#copyFolder(journal)) };
  }

  /** By this process: the mark of one that has died holds nothing. */
  async #isHeld(): Promise<boolean> {
    const text = await readOptional(this.#deps.layout.hold);
    return isAlive(text) && text === (await readOptional(this.#deps.layout.upgrader)) && (await this.#deps.service.running()) === undefined;
  }

  async #note(journal: Journal): Promise<Journal> {
    await writeJournal(this.#deps.layout, journal);
    return journal;
  }

  #data(journal: Journal): DataPaths {
    return { database: journal.databasePath, configuration: this.#deps.place.configPath };
  }

  #copyFolder(journal: Journal): string {
    return join(this.#deps.place.stateFolder, 'backup', versionLabel(journal.from));
  }
}

/** Whether an error means that the change is taken back. On the way back there is nothing left but to try again. */
function isForward(phase: Phase): boolean {
  return phase === 'begun' || phase === 'stopped' || phase === 'copied' || phase === 'switched';
}

function addReason(journal: Journal, outcome: string | undefined): { readonly reason?: string } {
  if (outcome === undefined) return journal.reason === undefined ? {} : { reason: journal.reason };
  return { reason: `${journal.reason ?? 'it did not work'}; and what was before: ${outcome}` };
}
