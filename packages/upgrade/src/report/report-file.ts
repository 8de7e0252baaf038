import { join } from 'node:path';
import { readJson, removeFile, replaceFile } from '../disk/files.js';
import type { Report } from '../installation-orders.js';

/** Upstream's name, below the folder of configuration and reports. */
const NAME = 'upgrade_report.json';

/** The report of the last change: upstream's file, so that either agent understands what the other has left. */
export class ReportFile {
  readonly #path: string;

  constructor(deps: { readonly stateFolder: string }) {
    this.#path = join(deps.stateFolder, NAME);
  }

  async write(report: Report): Promise<void> {
    await replaceFile(this.#path, JSON.stringify(report), 0o640);
  }

  /** `undefined`: there is none, or what is there is none. */
  async read(): Promise<Report | undefined> {
    const value = (await readJson(this.#path)) as Partial<Report> | undefined;
    if (typeof value?.event !== 'string' || typeof value.success !== 'boolean') return undefined;
    const { event, success, fromVersion = '', toVersion = '', errorMessage } = value;
    return { event, success, fromVersion, toVersion, ...(errorMessage ? { errorMessage } : {}) };
  }

  async drop(): Promise<void> {
    await removeFile(this.#path);
  }
}
