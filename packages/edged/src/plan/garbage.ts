import { containerName } from './identity.js';
import type { ActualPod } from './actual.js';
import type { PodStep } from './steps.js';

/**
 * Removes what no longer tells anything: dead containers beyond the newest `keepDead` of each name with their logs, and
 * sandboxes that are neither the newest nor hold a container that is kept.
 */
export function collectGarbage(actual: ActualPod, keepDead: number): PodStep[] {
  const dead = new Map<string, number>();
  const gone = new Set<string>();
  const newest = new Set<string>();
  for (const container of actual.containers) {
    const name = containerName(container);
    const isNewest = !newest.has(name);
    newest.add(name);
    // Made, never started, and another one was made since.
    if (container.state === 'created' && !isNewest) gone.add(container.id);
    if (container.state !== 'exited') continue;
    const seen = dead.get(name) ?? 0;
    dead.set(name, seen + 1);
    if (seen >= keepDead) gone.add(container.id);
  }
  const inUse = new Set(actual.containers.filter(({ id }) => !gone.has(id)).map(({ sandboxId }) => sandboxId));
  const old = actual.sandboxes.slice(1).filter(({ id, state }) => state === 'notready' && !inUse.has(id));
  const logsInUse = new Set(actual.containers.filter(({ id }) => !gone.has(id)).map(({ logPath }) => logPath));
  return [
    ...actual.containers
      .filter(({ id }) => gone.has(id))
      .map(({ id, logPath }) => ({ do: 'removeContainer' as const, containerId: id, ...(logPath === '' || logsInUse.has(logPath) ? {} : { logPath }) })),
    ...old.map(({ id }) => ({ do: 'removeSandbox' as const, sandboxId: id })),
  ];
}
