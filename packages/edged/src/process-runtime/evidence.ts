import { stat } from 'node:fs/promises';
import { readJson, readText } from './json-file.js';
import type { ContainerPaths } from './layout.js';
import type { ProcessIdentity } from './process-identity.js';
import { parseExitCode, parseIdentity } from './process-identity.js';
import type { ProcessTable } from './process-table.js';
import type { Evidence, Outcome } from './verdict.js';

/** A keeper writes its file within this time after making it; later it never will. */
const KEEPER_WRITES_WITHIN_MS = 10_000;

/** Identities that were read once; they never change. */
export interface Known {
  keeper?: ProcessIdentity | undefined;
  main?: ProcessIdentity | undefined;
}

/** Gathers what the files and the process table say about a container. Order matters: see `Evidence.exit`. */
export async function gatherEvidence(paths: ContainerPaths, known: Known, table: ProcessTable): Promise<Evidence> {
  known.keeper ??= await readIdentity(paths.keeper);
  if (known.keeper) known.main ??= await readIdentity(paths.main);
  const keeper = known.keeper ?? (await unreadKeeper(paths.keeper));
  const keeperAlive = known.keeper !== undefined && (await table.alive(known.keeper));
  const exit = await readExit(paths.exit);
  const outcome = await readJson<Outcome>(paths.outcome);
  return {
    boot: table.boot,
    keeperAlive,
    ...(keeper && { keeper }),
    ...(known.main && { main: known.main }),
    ...(exit && { exit }),
    ...(outcome && { outcome }),
  };
}

async function readIdentity(path: string): Promise<ProcessIdentity | undefined> {
  return parseIdentity((await readText(path)) ?? '');
}

async function unreadKeeper(path: string): Promise<'unfinished' | 'torn' | undefined> {
  const modified = await modifiedAt(path);
  if (modified === undefined) return undefined;
  return Math.abs(Date.now() - modified) < KEEPER_WRITES_WITHIN_MS ? 'unfinished' : 'torn';
}

async function readExit(path: string): Promise<{ code: number; at: number } | undefined> {
  const code = parseExitCode((await readText(path)) ?? '');
  const at = code === undefined ? undefined : await modifiedAt(path);
  return code === undefined || at === undefined ? undefined : { code, at };
}

/** When a file was written last, in whole milliseconds since the epoch. */
export async function modifiedAt(path: string): Promise<number | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found && Math.floor(found.mtimeMs);
}
