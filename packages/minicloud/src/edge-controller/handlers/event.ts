import { isApiError } from '@edge/kubeapi';
import { readDraft, readObject } from '../content.js';
import type { Handler } from '../context.js';

const EVENT = { apiVersion: 'v1', kind: 'Event' };

/** Events are never answered: a node does not wait for them. */
export const insertEvent: Handler = async ({ message, path }, { clients }) => {
  const draft = readDraft(message.content, EVENT, { name: path.name, namespace: path.namespace });
  delete draft.metadata.resourceVersion;
  try {
    await clients.events.create(draft);
  } catch (error) {
    // A node that is not sure whether its event arrived sends it again.
    if (!isApiError(error, 'AlreadyExists')) throw error;
  }
  return undefined;
};

export const updateEvent: Handler = async (request, context) => {
  const { message, path } = request;
  const draft = readDraft(message.content, EVENT, { name: path.name, namespace: path.namespace });
  delete draft.metadata.resourceVersion;
  if (!context.clients.events.find(path.name, path.namespace)) return insertEvent(request, context);
  await context.clients.events.update(draft);
  return undefined;
};

/** `{"event":…,"patchData":"…"}`: the patch when the event is known, else the event itself. */
export const patchEvent: Handler = async ({ node, message, path }, context) => {
  const { event, patchData } = readObject(message.content);
  const { events } = context.clients;
  if (events.find(path.name, path.namespace) && typeof patchData === 'string') {
    await events.patch(path.name, path.namespace, { type: 'strategic', body: readObject(patchData) });
    return undefined;
  }
  return insertEvent({ node, path, message: { ...message, content: event } }, context);
};
