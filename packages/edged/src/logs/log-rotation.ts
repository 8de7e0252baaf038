import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { errorText, isAbort, sleep, type ContainerRuntime, type Logger } from '@edge/core';
import { Semaphore } from '../apply/semaphore.js';
import { containerName, logDirectory, PodLabels } from '../plan/identity.js';
import { listFolder, PACKED, partStamp, rotatedLogs, UNFINISHED } from './log-files.js';

/** When logs are rotated and what is kept of them. */
export interface RotationRules {
  /** A log of more bytes is rotated. */
  readonly maxBytes: number;
  /** Files kept of a log, the one that is written included; at least 2. */
  readonly maxFiles: number;
  readonly intervalMs: number;
  /** Logs rotated side by side. */
  readonly workers: number;
}

export interface LogRotationDeps {
  readonly runtime: ContainerRuntime;
  readonly podLogsDir: string;
  readonly rules: RotationRules;
  readonly log: Logger;
}

/**
 * Keeps the logs of running containers small. What is looked at regularly are the files; the runtime is asked only when one
 * of them has become too large, so quiet pods cost it nothing.
 */
export class LogRotation {
  readonly #deps: LogRotationDeps;

  constructor(deps: LogRotationDeps) {
    this.#deps = deps;
  }

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { rules, log } = this.#deps;
    while (!signal.aborted) {
      await sleep(rules.intervalMs, signal);
      await this.rotate(signal).catch((error: unknown) => {
        if (!isAbort(error)) log.warn('logs of containers cannot be rotated now', { err: errorText(error) });
      });
    }
  }

  /** Looks once at all logs. */
  async rotate(signal: AbortSignal): Promise<void> {
    const { rules, log } = this.#deps;
    const large = await this.#largeLogs();
    if (large.size === 0) return;
    const places = new Semaphore(rules.workers);
    await Promise.all(
      (await this.#writers(large, signal)).map(({ id, path }) =>
        places.run(() =>
          this.#rotateOne(id, path, signal).catch((error: unknown) => {
            if (!isAbort(error)) log.warn('log of a container cannot be rotated now', { path, err: errorText(error) });
          }),
        ),
      ),
    );
  }

  async #largeLogs(): Promise<Set<string>> {
    const { podLogsDir, rules } = this.#deps;
    const large = new Set<string>();
    for (const pod of await listFolder(podLogsDir)) {
      for (const container of await listFolder(join(podLogsDir, pod))) {
        const folder = join(podLogsDir, pod, container);
        for (const name of await listFolder(folder)) {
          if (!/^\d+\.log$/.test(name)) continue;
          const path = join(folder, name);
          const size = (await stat(path).catch(() => undefined))?.size ?? 0;
          if (size > rules.maxBytes) large.add(path);
        }
      }
    }
    return large;
  }

  /** The running containers that write to these logs. Only what the labels make likely is asked for its path. */
  async #writers(large: ReadonlySet<string>, signal: AbortSignal): Promise<{ id: string; path: string }[]> {
    const { runtime, podLogsDir } = this.#deps;
    const writers: { id: string; path: string }[] = [];
    for (const container of await runtime.listContainers({ state: 'running' }, signal)) {
      const { labels, metadata } = container;
      const pod = { namespace: labels[PodLabels.namespace] ?? '', name: labels[PodLabels.name] ?? '', uid: labels[PodLabels.uid] ?? '' };
      const usual = `${logDirectory(podLogsDir, pod)}/${containerName(container)}/${metadata.attempt}.log`;
      const path = large.has(usual) ? usual : await this.#pathOf(container.id, containerName(container), large, signal);
      if (path !== undefined) writers.push({ id: container.id, path });
    }
    return writers;
  }

  /** Static pods write below a folder of another uid. */
  async #pathOf(id: string, name: string, large: ReadonlySet<string>, signal: AbortSignal): Promise<string | undefined> {
    if (![...large].some((path) => basename(dirname(path)) === name)) return undefined;
    const { logPath } = await this.#deps.runtime.containerStatus(id, signal);
    return large.has(logPath) ? logPath : undefined;
  }

  async #rotateOne(id: string, path: string, signal: AbortSignal): Promise<void> {
    const { runtime, rules, log } = this.#deps;
    const folder = dirname(path);
    const { parts, unused } = rotatedLogs(basename(path), await listFolder(folder));
    // Two will come: the one that is written now and its successor.
    const old = parts.slice(0, Math.max(0, parts.length - (rules.maxFiles - 2)));
    await Promise.all([...unused, ...old].map((name) => rm(join(folder, name), { force: true })));
    for (const name of parts.slice(old.length)) if (!name.endsWith(PACKED)) await pack(join(folder, name), signal);
    const part = `${path}.${partStamp(Date.now())}`;
    // Two within a second would lose the first one.
    if ((await stat(part).catch(() => undefined)) !== undefined) return;
    await rename(path, part);
    try {
      await runtime.reopenContainerLog(id, signal);
    } catch (error) {
      // It writes on to the renamed file, which is found again under its old name; unless it did open a new one after all.
      if ((await stat(path).catch(() => undefined)) === undefined) await rename(part, path);
      throw error;
    }
    log.verbose(1, 'log of a container rotated', { path, part });
  }
}

/** Replaces a file by its packed form; the plain one stays until the packed one is complete. */
async function pack(path: string, signal: AbortSignal): Promise<void> {
  const unfinished = `${path}${UNFINISHED}`;
  const { mode } = await stat(path);
  await pipeline(createReadStream(path), createGzip(), createWriteStream(unfinished, { mode: mode & 0o777 }), { signal });
  await rename(unfinished, `${path}${PACKED}`);
  await rm(path);
}
