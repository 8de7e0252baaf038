import { setMaxListeners } from 'node:events';
import { Readable } from 'node:stream';
import type { ContainerRuntime, RuntimeEvent } from '@edge/core';
import { sleep } from '@edge/core';
import type { CriConnection } from './connect.js';
import { EventsDefinition, TaskExit, type Envelope } from './generated/events.js';

/** What is asked when a process has ended. */
export type Lists = Pick<ContainerRuntime, 'listContainers' | 'listPodSandboxes'>;

const FILTERS = ['namespace==k8s.io,topic=="/tasks/exit"'];

/**
 * containerd tells of an exit before its interface shows it: the task is deleted and the state written to disk in
 * between, which takes some 30 ms, much longer on slow flash. Pauses before each look.
 */
const LOOKS_MS = [40, 40, 80, 160, 320, 640, 1_280, 2_560];

/** Ends of processes, commands of execs among them, in containerd's own words. */
export function subscribeToExits(connection: CriConnection, signal: AbortSignal): AsyncGenerator<Envelope> {
  return connection.stream(EventsDefinition.fullName, EventsDefinition.methods.subscribe, { filters: FILTERS }, signal);
}

/**
 * Tells of containers and sandboxes that have ended, each as soon as the interface shows it. What begins is not told:
 * whoever begins it knows. Rejects when the connection breaks.
 */
export async function* followExits(connection: CriConnection, lists: Lists, signal: AbortSignal): AsyncGenerator<RuntimeEvent> {
  const told = new Readable({ objectMode: true, read: () => undefined });
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  setMaxListeners(0, either);
  const tell = (event: RuntimeEvent): unknown => over.signal.aborted || told.push(event);
  const fail = (error: unknown): unknown => over.signal.aborted || told.destroy(error as Error);
  const read = async (): Promise<void> => {
    for await (const { event } of subscribeToExits(connection, either)) {
      const { containerId, id, exitedAt } = TaskExit.decode(event?.value ?? new Uint8Array());
      // A command of an exec.
      if (id !== containerId) continue;
      const at = Number(exitedAt?.seconds ?? 0n) * 1000 + Math.floor((exitedAt?.nanos ?? 0) / 1_000_000);
      // Side by side: when a whole pod ends no container waits for another.
      shown(lists, containerId, either).then((end) => tell({ ...end, containerId, at }), fail);
    }
    over.abort();
    told.push(null);
  };
  read().catch(fail);
  try {
    yield* told as AsyncIterable<RuntimeEvent>;
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    over.abort();
  }
}

/** Resolves when the interface shows the end, or does not show it for so long that only the reader's own look can help. */
async function shown(lists: Lists, id: string, signal: AbortSignal): Promise<Pick<RuntimeEvent, 'type' | 'sandboxId'>> {
  let sandboxId: string | undefined;
  for (const pause of LOOKS_MS) {
    await sleep(pause, signal);
    // Most are containers; what it is has been found out by the second look.
    const [container] = sandboxId === id ? [] : await lists.listContainers({ id }, signal);
    if (container) {
      ({ sandboxId } = container);
      if (container.state !== 'running') break;
      continue;
    }
    const [sandbox] = await lists.listPodSandboxes({ id }, signal);
    if (!sandbox) return { type: 'deleted', sandboxId: sandboxId ?? id };
    sandboxId = id;
    if (sandbox.state === 'notready') break;
  }
  return { type: 'stopped', sandboxId: sandboxId ?? id };
}
