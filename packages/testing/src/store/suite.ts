import type { Store } from '@edge/core';
import { afterEach, describe } from 'vitest';
import { commitChapter } from './chapters/commits.js';
import { conditionChapter } from './chapters/conditions.js';
import { durabilityChapter } from './chapters/durability.js';
import { tableChapter } from './chapters/tables.js';
import type { StoreSuiteOptions } from './suite-kit.js';

/** The behaviour of the `Store` port, as tests. Call it at the top of a test file, once per implementation. */
export function storeSuite(options: StoreSuiteOptions): void {
  describe(`store port: ${options.name}`, () => {
    const opened: Partial<AsyncDisposable>[] = [];
    const open = async (): Promise<Store> => {
      const store = await options.open();
      opened.push(store);
      return store;
    };
    afterEach(async () => {
      for (const store of opened.splice(0)) await store[Symbol.asyncDispose]?.();
    });
    tableChapter(open);
    conditionChapter(open);
    commitChapter(open);
    if (options.reopen !== undefined) durabilityChapter(open, options.reopen.bind(options), opened);
  });
}
