import { watch, type Stats } from 'node:fs';
import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, errorText, isAbort, sleep, type Logger } from '@edge/core';
import type { Pod } from '@edge/protocol';
import { edgedError } from '../errors.js';
import { SourceAnnotations } from '../policy/standing.js';
import { readManifest } from './read-manifest.js';

/** An editor writes a file in several steps. */
const SETTLE_MS = 100;
/** More is no pod; upstream's limit. */
const LARGEST_FILE = 10 * 1024 * 1024;

export interface ManifestDirectoryDeps {
  /** A directory, or one file. */
  readonly path: string;
  readonly nodeName: string;
  /** Milliseconds between looks, for file systems that do not tell of changes. */
  readonly checkMs: number;
  /** All pods of the files. `whole` is false when there is a file that is no pod. */
  readonly onPods: (pods: readonly Pod[], whole: boolean) => void;
  readonly log: Logger;
}

/** Reads pods from files, each time they change. A bad file is named once and harms no other. */
export class ManifestDirectory {
  readonly #deps: ManifestDirectoryDeps;
  /** What each file said last when it could be read: its pod goes on while somebody repairs the file. */
  readonly #good = new Map<string, Pod>();
  /** When a pod was first seen, by uid. */
  readonly #seen = new Map<string, string>();
  #told = new Map<string, string>();
  #last: string | undefined;

  constructor(deps: ManifestDirectoryDeps) {
    this.#deps = deps;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { path, checkMs, log } = this.#deps;
    await mkdir(path, { recursive: true }).catch((error: unknown) => {
      // It may be a file, or this user may not; then there are no static pods until somebody else makes it.
      if (errorCode(error) !== 'EEXIST') log.verbose(1, 'directory of static pods cannot be made', { path, err: errorText(error) });
    });
    while (!signal.aborted) {
      const changed = new AbortController();
      const watcher = this.#watch(changed);
      try {
        await this.look();
        await sleep(checkMs, AbortSignal.any([signal, changed.signal]));
      } catch (error) {
        if (!isAbort(error) || signal.aborted) throw error;
        await sleep(SETTLE_MS, signal);
      } finally {
        watcher?.close();
      }
    }
  }

  /** Reads all files now and tells when something is different. */
  async look(): Promise<void> {
    const { onPods, log, path } = this.#deps;
    const files = await listFiles(path).catch((error: unknown) => {
      this.#tell(path, errorText(error));
      return undefined;
    });
    if (files === undefined) return onPods([...this.#good.values()], false);
    const told = this.#told;
    this.#told = new Map();
    let whole = true;
    const pods = new Map<string, Pod>();
    for (const file of files) {
      const pod = await this.#read(file).catch((error: unknown) => {
        this.#tell(file, errorText(error), told);
        whole = false;
        return this.#good.get(file);
      });
      if (!pod) continue;
      this.#good.set(file, pod);
      const key = `${pod.metadata.namespace}/${pod.metadata.name}`;
      if (pods.has(key)) this.#tell(file, `another file has pod ${key} already, this one is left out`, told);
      else pods.set(key, pod);
    }
    for (const file of this.#good.keys()) if (!files.includes(file)) this.#good.delete(file);
    const state = `${whole} ${[...pods.values()].map(({ metadata }) => metadata.uid).join()}`;
    if (state === this.#last) return;
    if (pods.size > 0 || this.#last !== undefined) log.info('static pods read', { path, pods: pods.size });
    this.#last = state;
    onPods([...pods.values()], whole);
  }

  /** @throws EdgeError `edged.manifest` */
  async #read(file: string): Promise<Pod | undefined> {
    const { nodeName } = this.#deps;
    const found = await orGone(stat(file));
    if (!found) return undefined;
    if (!found.isFile()) throw edgedError('edged.manifest', 'it is no file; directories within are not looked through');
    if (found.size > LARGEST_FILE) throw edgedError('edged.manifest', `it has ${found.size} bytes, which is more than a pod needs`);
    const text = await orGone(readFile(file, 'utf8'));
    if (text === undefined) return undefined;
    const pod = readManifest({ text, path: file, nodeName });
    const uid = pod.metadata.uid ?? '';
    if (this.#good.get(file)?.metadata.uid === uid) return this.#good.get(file);
    const seen = this.#seen.get(uid) ?? new Date().toISOString();
    this.#seen.set(uid, seen);
    return { ...pod, metadata: { ...pod.metadata, annotations: { ...pod.metadata.annotations, [SourceAnnotations.seen]: seen } } };
  }

  /** Says it once as long as it stays the same. */
  #tell(file: string, what: string, before: ReadonlyMap<string, string> = this.#told): void {
    if (before.get(file) !== what) this.#deps.log.error('file with a static pod cannot be used', { file, err: what });
    this.#told.set(file, what);
  }

  #watch(changed: AbortController): { close(): void } | undefined {
    try {
      const watcher = watch(this.#deps.path, { persistent: false }, () => changed.abort());
      watcher.on('error', () => watcher.close());
      return watcher;
    } catch {
      // Not there yet, or no watches left: the regular look finds changes as well.
      return undefined;
    }
  }
}

/** Files by name; those whose names begin with a dot are somebody's work in progress. */
async function listFiles(path: string): Promise<string[]> {
  const found = await orGone<Stats>(stat(path));
  if (!found) return [];
  if (!found.isDirectory()) return [path];
  return (await readdir(path))
    .filter((name) => !name.startsWith('.'))
    .sort()
    .map((name) => join(path, name));
}

async function orGone<T>(looking: Promise<T>): Promise<T | undefined> {
  try {
    return await looking;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
