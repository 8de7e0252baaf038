import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { replaceFile } from '../disk/files.js';
import type { Layout } from '../layout/layout.js';
import type { Versions } from '../layout/versions.js';
import type { Journal } from './journal.js';

/** What a change puts in the place of what: a version, or a text of the configuration. Each may be done twice. */
export interface Subject {
  toWhole(): boolean;
  fromWhole(): boolean;
  switch(): Promise<void>;
  switchBack(): Promise<void>;
}

export function subjectOf(journal: Journal, layout: Layout, versions: Versions, configPath: string): Subject {
  if (journal.event !== 'ConfigUpdate') {
    return {
      toWhole: () => versions.isWhole(journal.to),
      fromWhole: () => versions.isWhole(journal.from),
      switch: () => versions.switchTo(journal.to),
      switchBack: () => versions.switchBack(journal.from, journal.before),
    };
  }
  return {
    toWhole: () => existsSync(layout.configurationAfter),
    fromWhole: () => existsSync(layout.configurationBefore),
    switch: () => put(layout.configurationAfter, configPath),
    switchBack: () => put(layout.configurationBefore, configPath),
  };
}

/** With the mode that the file has: a token may be inside. */
async function put(from: string, to: string): Promise<void> {
  await replaceFile(to, await readFile(from), (await stat(from)).mode & 0o777);
}
