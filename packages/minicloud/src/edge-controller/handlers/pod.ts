import { conflict, isApiError } from '@edge/kubeapi';
import { readDraft, readObject } from '../content.js';
import type { Handler } from '../context.js';
import { objectErrorReply, objectReply, okReply, queryErrorReply, statusOf } from '../messages.js';

/** A node shows a pod of its own (static pods). */
export const insertPod: Handler = async ({ message, path }, { clients }) => {
  try {
    const draft = readDraft(message.content, { apiVersion: 'v1', kind: 'Pod' }, { name: path.name, namespace: path.namespace });
    return objectReply(message, await clients.pods.create(draft));
  } catch (error) {
    return objectErrorReply(message, statusOf(error));
  }
};

/** A strategic merge patch of the status; it names the pod's uid, so that it cannot hit a successor of the same name. */
export const patchPod: Handler = async ({ node, message, path }, { clients, ownWrites }) => {
  try {
    const body = readObject(message.content);
    const uid = (body['metadata'] as { uid?: unknown } | undefined)?.uid;
    const current = await clients.pods.get(path.name, path.namespace);
    if (uid !== undefined && uid !== current.metadata.uid) {
      throw conflict({ resource: 'pods', group: '', name: path.name }, `Precondition failed: UID in precondition: ${String(uid)}, UID in object meta: ${current.metadata.uid}`);
    }
    const patched = await clients.pods.patch(path.name, path.namespace, { type: 'strategic', body }, { subresource: 'status' });
    ownWrites.add(node, patched.metadata.uid, patched.metadata.resourceVersion);
    return objectReply(message, patched, { withVersion: true });
  } catch (error) {
    return objectErrorReply(message, statusOf(error));
  }
};

/** The pod has ended on the node and may go. What is gone already is gone. */
export const deletePod: Handler = async ({ message, path }, { clients }) => {
  try {
    await clients.pods.delete(path.name, path.namespace, deleteOptions(message.content));
    return okReply(message);
  } catch (error) {
    // Another pod has the name by now: the one that was meant is gone.
    if (isApiError(error, 'Conflict')) return okReply(message);
    return queryErrorReply(message, statusOf(error));
  }
};

/** Delete options as an object, or, from old nodes, the bare uid. */
function deleteOptions(content: unknown): { gracePeriodSeconds: number; preconditions?: { uid: string } } {
  if (typeof content === 'string' && !content.trimStart().startsWith('{')) {
    return { gracePeriodSeconds: 0, ...(content === '' ? {} : { preconditions: { uid: content } }) };
  }
  const options = content === null ? {} : (readObject(content) as { gracePeriodSeconds?: number; preconditions?: { uid?: string } });
  const uid = options.preconditions?.uid;
  return { gracePeriodSeconds: options.gracePeriodSeconds ?? 0, ...(uid === undefined ? {} : { preconditions: { uid } }) };
}
