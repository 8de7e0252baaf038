import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { EdgeError, errorText, type Core, type Logger, type ModuleDefinition, type SwapOutcome, type SwapStep } from '@edge/core';
import { isFetched, removeFetched } from '@edge/upgrade';
import { loadModule } from '../modules/load-module.js';
import type { Origin } from '../modules/load-modules.js';
import type { RoleEntry } from '../modules/role-document.js';
import { readRoleFile, writeRole } from '../modules/role-file.js';
import type { SwapRequest } from './control-protocol.js';

export interface ModuleOrdersDeps {
  readonly core: Pick<Core, 'modules' | 'health' | 'swap'>;
  readonly builtIn: readonly ModuleDefinition[];
  /** Where the modules come from that the agent has started with. */
  readonly origins: readonly Origin[];
  /** What the role file said for those that are not built in. */
  readonly entries: ReadonlyMap<string, RoleEntry>;
  readonly configPath: string;
  /** Below it each role has a folder with a folder for each version. */
  readonly modulesFolder: string;
  /** Milliseconds for which a new version is watched. */
  readonly settleMs: number;
  readonly log: Logger;
}

/** A module of the running agent, as commands show it. */
export interface ModuleRow {
  readonly role: string;
  readonly package: string;
  readonly version: string;
  /** Folder of its package; a built-in module has none. */
  readonly folder?: string;
  /** As in `ModuleHealth`; `off`: the configuration has switched it off. */
  readonly phase: string;
  readonly restarts: number;
  readonly lastError?: string;
}

export interface SwapReport extends SwapOutcome {
  readonly from: string;
  readonly to: string;
  /** Why the next start of the agent does not know of it. */
  readonly notKept?: string;
}

/** What commands can have the running agent do with its modules. */
export class ModuleOrders {
  readonly #deps: ModuleOrdersDeps;
  readonly #folders: Map<string, string | undefined>;
  readonly #entries: Map<string, RoleEntry>;
  /** The role of the swap under way, from the loading until it is written down. */
  #swapping: string | undefined;

  constructor(deps: ModuleOrdersDeps) {
    this.#deps = deps;
    this.#folders = new Map(deps.origins.map(({ role, folder }) => [role, folder]));
    this.#entries = new Map([...deps.entries].filter(([role]) => this.#folders.get(role) !== undefined));
  }

  list(): readonly ModuleRow[] {
    const { modules, health } = this.#deps.core;
    return modules.map(({ name, packageName, version }) => {
      const { phase = 'off', restarts = 0, lastError } = health.value[name] ?? {};
      const folder = this.#folders.get(name);
      return { role: name, package: packageName, version, ...(folder === undefined ? {} : { folder }), phase, restarts, ...(lastError === undefined ? {} : { lastError }) };
    });
  }

  /**
   * Loads and swaps; what has worked is written into the role file, so that the next start keeps it. A fetched version that did not
   * work is removed. Settings of the role stay.
   * @throws EdgeError `core.swap-busy` while another swap is under way; `modules.*` when it cannot be loaded, and what `Core.swap` throws
   */
  async swap(request: SwapRequest, onStep: (step: SwapStep) => void, signal: AbortSignal): Promise<SwapReport> {
    // Nothing of a second order may be touched: its folder can be the very one that the first one starts from.
    if (this.#swapping !== undefined) throw new EdgeError('core.swap-busy', `${this.#swapping} is being swapped; try again when that is done`);
    this.#swapping = request.role;
    try {
      return await this.#swap(request, onStep, signal);
    } finally {
      this.#swapping = undefined;
    }
  }

  async #swap({ role, entry, readyTimeoutSeconds }: SwapRequest, onStep: (step: SwapStep) => void, signal: AbortSignal): Promise<SwapReport> {
    const { core, settleMs } = this.#deps;
    const before = core.modules.find(({ name }) => name === role);
    if (!before) throw new EdgeError('core.no-role', `this agent has no module ${role}; it has ${core.modules.map(({ name }) => name).join(', ')}`);
    const settings = this.#entries.get(role)?.settings;
    if (!entry && settings) {
      throw new EdgeError('cli.swap', `the role file has settings for ${role} (${Object.keys(settings).join(', ')}), which count until the agent is started again: take its entry out of the file, and start the agent again`);
    }
    await this.#refuseOtherSettings(role, settings);
    let done = false;
    try {
      const { definition, folder } = await this.#find(role, entry, signal);
      const outcome = await core.swap(role, definition, { settleMs, signal, onStep, ...(readyTimeoutSeconds === undefined ? {} : { readyTimeoutMs: readyTimeoutSeconds * 1000 }) });
      done = outcome.result !== 'returned';
      const notKept = done ? await this.#keep(role, entry && (settings ? { ...entry, settings } : entry), folder) : undefined;
      return { ...outcome, from: label(before), to: label(definition), ...(notKept === undefined ? {} : { notKept }) };
    } finally {
      if (!done) await this.#discard(role, entry);
    }
  }

  /** The configuration holds the settings of the start: what somebody has written since would be lost, or seem to count. */
  async #refuseOtherSettings(role: string, settings: RoleEntry['settings']): Promise<void> {
    const { entries, problems, path } = await readRoleFile(this.#deps.configPath);
    const now = entries.get(role)?.settings;
    if (problems.length > 0 || isDeepStrictEqual(now, settings)) return;
    const names = Object.keys({ ...settings, ...now }).join(', ');
    throw new EdgeError('cli.swap', `${path} has other settings for ${role} (${names}) than when the agent was started, and they count from its next start on: start it again, or put back what was there`);
  }

  async #find(role: string, entry: RoleEntry | undefined, signal: AbortSignal): Promise<{ definition: ModuleDefinition; folder: string | undefined }> {
    if (entry) {
      const { module, package: found } = await loadModule(role, entry, undefined, signal);
      return { definition: module, folder: found.folder };
    }
    const definition = this.#deps.builtIn.find(({ name }) => name === role);
    if (!definition) throw new EdgeError('core.no-role', `there is no built-in module for ${role}; take it out of the role file instead, and start the agent again`);
    return { definition, folder: undefined };
  }

  /** @returns why it could not be noted */
  async #keep(role: string, entry: RoleEntry | undefined, folder: string | undefined): Promise<string | undefined> {
    const { configPath, modulesFolder, log } = this.#deps;
    const previous = this.#entries.get(role);
    if (entry) this.#entries.set(role, entry);
    else this.#entries.delete(role);
    this.#folders.set(role, folder);
    try {
      await writeRole(configPath, role, entry);
    } catch (error) {
      log.error('the module was swapped, and the next start of the agent does not know of it', { module: role, err: errorText(error) });
      return errorText(error);
    }
    const kept = [entry?.folder, previous?.folder].filter((one) => one !== undefined);
    await removeFetched(join(modulesFolder, role), kept).catch((error: unknown) => log.warn('old versions of a module were not removed', { module: role, err: errorText(error) }));
    return undefined;
  }

  async #discard(role: string, entry: RoleEntry | undefined): Promise<void> {
    const { modulesFolder, log } = this.#deps;
    const folder = entry?.folder;
    if (folder === undefined || folder === this.#entries.get(role)?.folder || dirname(folder) !== join(modulesFolder, role) || !isFetched(folder)) return;
    await rm(folder, { recursive: true, force: true }).catch((error: unknown) => log.warn('a version of a module was not removed', { folder, err: errorText(error) }));
  }
}

function label({ packageName, version }: ModuleDefinition): string {
  return `${packageName}@${version}`;
}
