import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '@edge/core';
import { makeRoot } from './container-root.js';
import { readJson, readText, writeJson } from './json-file.js';
import type { ContainerPaths, Layout } from './layout.js';
import { containerPaths, layout, rootMark, UNFINISHED } from './layout.js';
import { parseIdentity } from './process-identity.js';
import type { ProcessTable } from './process-table.js';
import { endByForce, killMembers } from './processes.js';
import type { ContainerRecord, SandboxRecord } from './record.js';

/** The records on disk: read once, written through. */
export class Repository {
  readonly #layout: Layout;
  readonly #table: ProcessTable;
  readonly #log: Logger;

  constructor(deps: { readonly root: string; readonly table: ProcessTable; readonly log: Logger }) {
    this.#layout = layout(deps.root);
    this.#table = deps.table;
    this.#log = deps.log;
  }

  paths(containerId: string): ContainerPaths {
    return this.#layout.container(containerId);
  }

  /** Reads all records and clears away what was being made or removed when an earlier agent ended. */
  async load(): Promise<{ sandboxes: SandboxRecord[]; containers: ContainerRecord[] }> {
    // Environments hold secrets: nobody else may look in here.
    await mkdir(this.#layout.sandboxes, { recursive: true, mode: 0o700 });
    await mkdir(this.#layout.containers, { recursive: true, mode: 0o700 });
    const sandboxes: SandboxRecord[] = [];
    for (const name of await readdir(this.#layout.sandboxes)) {
      const path = join(this.#layout.sandboxes, name);
      const record = name.endsWith('.json') ? await readJson<SandboxRecord>(path) : undefined;
      if (record) sandboxes.push(record);
      else await rm(path, { force: true });
    }
    const known = new Set(sandboxes.map((sandbox) => sandbox.id));
    const containers: ContainerRecord[] = [];
    for (const name of await readdir(this.#layout.containers)) {
      const paths = this.#layout.container(name);
      const record = name.startsWith(UNFINISHED) ? undefined : await readJson<ContainerRecord>(paths.record);
      if (record && known.has(record.sandboxId)) containers.push(record);
      else await this.#discard(name, paths);
    }
    return { sandboxes, containers };
  }

  async saveSandbox(record: SandboxRecord): Promise<void> {
    await writeJson(this.#layout.sandbox(record.id), record, true);
  }

  async deleteSandbox(id: string): Promise<void> {
    await rm(this.#layout.sandbox(id), { force: true });
  }

  /** Makes the directory of a container; it appears complete or not at all. */
  async createContainer(record: ContainerRecord): Promise<ContainerPaths> {
    const making = containerPaths(join(this.#layout.containers, `${UNFINISHED}new-${record.id}`));
    const made = this.#layout.container(record.id);
    try {
      await mkdir(making.run, { recursive: true, mode: 0o700 });
      await makeRoot(making.root, record.config.mounts);
      await writeJson(making.record, record, true);
      await rename(making.dir, made.dir);
    } catch (error) {
      await rm(making.dir, { recursive: true, force: true });
      throw error;
    }
    return made;
  }

  /** Removes a directory that belongs to nothing; if its record got lost, what runs in it is ended first. */
  async #discard(name: string, paths: ContainerPaths): Promise<void> {
    if (!name.startsWith(UNFINISHED)) this.#log.warn('a container without readable record or sandbox is removed', { container: name });
    const keeper = parseIdentity((await readText(paths.keeper)) ?? '');
    if (keeper) {
      await endByForce(this.#table, { keeper });
      if (keeper.boot === this.#table.boot) await killMembers(this.#table, { keeper, mark: rootMark(paths) });
    }
    await rm(paths.dir, { recursive: true, force: true });
  }
}
