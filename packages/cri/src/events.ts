import type { RuntimeEvent, RuntimeVersion } from '@edge/core';
import { sleep } from '@edge/core';
import type { CriConnection } from './connect.js';
import { runtimeEvent } from './convert/answers.js';
import { RuntimeServiceDefinition } from './generated/api.js';

const { fullName, methods } = RuntimeServiceDefinition;

/** A runtime without events ends the stream at once; one with events says nothing until something happens. */
const SILENCE_MS = 100;

/** Tells of events until the signal aborts. Rejects when the connection breaks. */
export async function* followEvents(connection: CriConnection, signal: AbortSignal): AsyncGenerator<RuntimeEvent> {
  for await (const event of connection.stream(fullName, methods.getContainerEvents, {}, signal)) yield runtimeEvent(event);
}

/** Whether the runtime tells every listener of every event. */
export async function tellsEvents(connection: CriConnection, { name, version }: RuntimeVersion, signal: AbortSignal): Promise<boolean> {
  // containerd 1.6 has no events; 1.7 gives each event to one listener only, also to one that has left.
  if (name === 'containerd' && /^v?1\./.test(version)) return false;
  const enough = new AbortController();
  const silence = sleep(SILENCE_MS, signal).then(() => true);
  const event = followEvents(connection, AbortSignal.any([signal, enough.signal])).next();
  try {
    return await Promise.race([silence, event.then(({ done }) => done !== true, () => false)]);
  } finally {
    enough.abort();
  }
}
