import type { RuntimeEvent, RuntimeVersion } from '@edge/core';
import { sleep } from '@edge/core';
import type { CriConnection } from './connect.js';
import { runtimeEvent } from './convert/answers.js';
import { followExits, subscribeToExits, type Lists } from './exits.js';
import { RuntimeServiceDefinition } from './generated/api.js';

const { fullName, methods } = RuntimeServiceDefinition;

/** Who tells of events: the interface, or containerd beside it. */
export type EventSource = 'interface' | 'containerd';

/** A runtime without events ends the stream at once; one with events says nothing until something happens. */
const SILENCE_MS = 100;

/** Tells of events until the signal aborts. Rejects when the connection breaks. */
export function followEvents(source: EventSource, connection: CriConnection, lists: Lists, signal: AbortSignal): AsyncGenerator<RuntimeEvent> {
  return source === 'interface' ? followInterface(connection, signal) : followExits(connection, lists, signal);
}

/** The source that tells every listener of every event; undefined when there is none. */
export async function findEvents(connection: CriConnection, { name, version }: RuntimeVersion, signal: AbortSignal): Promise<EventSource | undefined> {
  const isContainerd = name === 'containerd';
  // The interface of containerd 1.6 has no events; 1.7 gives each event to one listener only, also to one that has left.
  const unusable = isContainerd && /^v?1\./.test(version);
  if (!unusable && (await listens((until) => followInterface(connection, until), signal))) return 'interface';
  if (isContainerd && (await listens((until) => subscribeToExits(connection, until), signal))) return 'containerd';
  return undefined;
}

async function* followInterface(connection: CriConnection, signal: AbortSignal): AsyncGenerator<RuntimeEvent> {
  for await (const event of connection.stream(fullName, methods.getContainerEvents, {}, signal)) yield runtimeEvent(event);
}

async function listens(open: (signal: AbortSignal) => AsyncGenerator<unknown>, signal: AbortSignal): Promise<boolean> {
  const enough = new AbortController();
  const silence = sleep(SILENCE_MS, signal).then(() => true);
  const event = open(AbortSignal.any([signal, enough.signal])).next();
  try {
    return await Promise.race([silence, event.then(({ done }) => done !== true, () => false)]);
  } finally {
    enough.abort();
  }
}
