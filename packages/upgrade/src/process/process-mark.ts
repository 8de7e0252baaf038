import { readFileSync } from 'node:fs';
import { link, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { errorCode } from '@edge/core';
import { readOptional } from '../disk/files.js';

/**
 * Which process it is, so that another one that got the same number later, or after the machine was started anew, is not
 * taken for it. In files: `<boot id> <process id> <start, in ticks since the boot>`; the launcher reads them too.
 */
export interface ProcessMark {
  readonly boot: string;
  readonly pid: number;
  readonly start: string;
}

const MARK = /^(\S+) (\d+) (\d+)\s*$/;

/** This process. */
export function ownMark(): ProcessMark {
  return { boot: bootId(), pid: process.pid, start: startOf(process.pid) ?? '0' };
}

/** Whether the process of a mark's text lives. */
export function isAlive(text: string | undefined): boolean {
  const mark = readMark(text);
  return mark !== undefined && mark.boot === bootId() && startOf(mark.pid) === mark.start;
}

export function readMark(text: string | undefined): ProcessMark | undefined {
  const [, boot, pid, start] = MARK.exec(text ?? '') ?? [];
  return boot !== undefined && pid !== undefined && start !== undefined ? { boot, pid: Number(pid), start } : undefined;
}

export function markText({ boot, pid, start }: ProcessMark): string {
  return `${boot} ${pid} ${start}\n`;
}

/**
 * Takes a file for this process, unless another one that lives has it. Of several that try at once one gets it.
 * @returns the text of the one that has it, or `undefined` when this process has got it
 */
export async function takeFile(path: string): Promise<string | undefined> {
  const own = `${path}.${process.pid}`;
  await writeFile(own, markText(ownMark()), { mode: 0o644 });
  try {
    for (;;) {
      try {
        await link(own, path);
        return undefined;
      } catch (error) {
        if (errorCode(error) !== 'EEXIST') throw error;
      }
      const owner = await readOptional(path);
      if (owner !== undefined && isAlive(owner)) return owner;
      if (owner !== undefined) await setAside(path, owner);
    }
  } finally {
    await rm(own, { force: true });
  }
}

/** Removes a dead process's file, and nothing that took its place meanwhile: who sees another text puts it back. */
async function setAside(path: string, owner: string): Promise<void> {
  const aside = `${path}.${process.pid}.dead`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    throw error;
  }
  if ((await readFile(aside, 'utf8')) !== owner) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
}

/** Gives a file back that this process has taken. */
export async function releaseFile(path: string): Promise<void> {
  if ((await readOptional(path)) === markText(ownMark())) await rm(path, { force: true });
}

/** A mark that survives a loss of power is of no use: with it the process is gone. Written so that readers see it whole. */
export async function writeMark(path: string): Promise<void> {
  const next = `${path}.${process.pid}`;
  await using file = await open(next, 'w', 0o644);
  await file.writeFile(markText(ownMark()));
  await rename(next, path);
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

/** When a process started, `undefined` when there is none or it is a zombie. The command in brackets may hold blanks. */
function startOf(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? undefined : fields[19];
}
