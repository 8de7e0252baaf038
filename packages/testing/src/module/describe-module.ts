import type { ModuleDefinition, Runnable } from '@edge/core';
import { checkModules, CONTRACT_VERSIONS, MODULE_BRAND } from '@edge/core';
import { describe, expect, it } from 'vitest';
import { runModule, type RunModuleOptions } from './run-module.js';

/** Options for one run; called anew for each so that runs share nothing. */
export type ModuleScene = () => Promise<RunModuleOptions & { readonly dispose?: () => Promise<void> }>;

/** What every module must do, as a test suite: call it in `test/<name>.contract.test.ts`. */
export function describeModule<M extends Runnable, C>(definition: ModuleDefinition<M, C>, scene: ModuleScene): void {
  describe(`module contract of ${definition.name}`, () => {
    it('[module-1] is a definition that fits the contract packages of this workspace', () => {
      expect(definition.manifest.brand).toBe(MODULE_BRAND);
      expect(Object.keys(definition.requires).sort()).toEqual(['@edge/core', '@edge/protocol']);
      expect(checkModules([definition], CONTRACT_VERSIONS)).toEqual([]);
    });

    it('[module-2] fills every missing setting with a default', () => {
      expect(() => definition.config.parse(undefined, {})).not.toThrow();
    });

    it('[module-3] gets ready and stops when asked', async () => {
      await withScene(scene, async (options) => {
        const running = await runModule(definition, options);
        await running.stop();
        expect(running.core.health.value[definition.name]?.phase).toBe('done');
      });
    });

    it('[module-4] runs twice in one process at the same time without sharing anything', async () => {
      await withScene(scene, async (first) => {
        await withScene(scene, async (second) => {
          const [one, other] = await Promise.all([runModule(definition, first), runModule(definition, second)]);
          await one.stop();
          expect(other.core.health.value[definition.name]?.phase).toBe('ready');
          await other.stop();
        });
      });
    });

    it('[module-5] leaves no timer and no socket behind', async () => {
      // Once before counting: first use opens what Node keeps for itself.
      await withScene(scene, async (options) => (await runModule(definition, options)).stop());
      const before = openResources();
      await withScene(scene, async (options) => (await runModule(definition, options)).stop());
      let left = surplus(before);
      for (let round = 0; round < 40 && left.length > 0; round += 1) {
        await new Promise((resolve) => setTimeout(resolve, 25));
        left = surplus(before);
      }
      expect(left).toEqual([]);
    });
  });
}

async function withScene(scene: ModuleScene, body: (options: RunModuleOptions) => Promise<void>): Promise<void> {
  const { dispose, ...options } = await scene();
  try {
    await body(options);
  } finally {
    await dispose?.();
  }
}

const COUNTED = new Set(['Timeout', 'TCPSocketWrap', 'TCPServerWrap', 'PipeWrap', 'TLSWrap', 'FSEventWrap', 'StatWatcher', 'ProcessWrap', 'GetAddrInfoReqWrap']);

function openResources(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of process.getActiveResourcesInfo()) if (COUNTED.has(name)) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

function surplus(before: ReadonlyMap<string, number>): string[] {
  return [...openResources()].filter(([name, count]) => count > (before.get(name) ?? 0)).map(([name, count]) => `${count}× ${name}`);
}
