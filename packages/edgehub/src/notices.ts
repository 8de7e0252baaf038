import type { MessageBus } from '@edge/core';
import { CONNECTION_RESOURCE, createMessage, Groups, Operations, Sources } from '@edge/protocol';

/** Groups that hear of the link's changes. */
const LISTENERS: readonly string[] = [Groups.twin, Groups.meta, Groups.bus, Groups.taskManager];

/** Tells the groups that are there. A group whose lane is full misses it: the cell `CloudLink` holds the truth. */
export async function sendConnectionNotice(bus: MessageBus, content: string): Promise<void> {
  await Promise.allSettled(
    LISTENERS.filter((group) => bus.reaches({ group })).map((group) =>
      bus.send({ group }, createMessage({ source: Sources.edgeHub, group, operation: Operations.connect, resource: CONNECTION_RESOURCE, content })),
    ),
  );
}
