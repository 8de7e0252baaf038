import { readDraft, readObject } from '../content.js';
import type { Handler } from '../context.js';
import { existingNodeBody, notFoundStatus, objectErrorReply, objectReply, okReply, queryErrorReply, queryReply, statusOf } from '../messages.js';

/** The annotation that names the cloud a node is connected to. */
export const CLOUD_ANNOTATION = 'cloudcore';

/** A node registers. */
export const insertNode: Handler = async ({ node, message, path }, { clients, cloudAddress, sendAgain }) => {
  const draft = readDraft(message.content, { apiVersion: 'v1', kind: 'Node' }, { name: path.name });
  const { labels } = draft.metadata;
  draft.metadata.annotations = { ...draft.metadata.annotations, [CLOUD_ANNOTATION]: cloudAddress };
  try {
    return objectReply(message, await clients.nodes.create(draft));
  } catch (error) {
    // It registers when it starts, so what it was sent before may be lost with its database.
    if (clients.nodes.find(path.name)) sendAgain(node);
    return objectErrorReply(message, statusOf(error), existingNodeBody(labels));
  }
};

/** A node changes its labels and annotations. */
export const updateNode: Handler = async ({ message, path }, { clients }) => {
  const { metadata } = readDraft(message.content, { apiVersion: 'v1', kind: 'Node' }, { name: path.name });
  const changed = await clients.nodes.modify(path.name, undefined, (copy) => {
    copy.metadata.labels = { ...copy.metadata.labels, ...metadata.labels };
    copy.metadata.annotations = { ...copy.metadata.annotations, ...metadata.annotations };
  });
  return changed ? okReply(message) : queryErrorReply(message, notFoundStatus('node', path.name));
};

/** Nodes up to 1.22 read their Node from the cloud. */
export const queryNode: Handler = ({ message, path }, { clients }) => {
  const found = clients.nodes.find(path.name);
  return Promise.resolve(found ? queryReply(message, found) : queryErrorReply(message, notFoundStatus('node', path.name)));
};

/** A strategic merge patch of the status. */
export const patchNode: Handler = async ({ node, message, path }, { clients, ownWrites }) => {
  try {
    const body = readObject(message.content);
    const patched = await clients.nodes.patch(path.name, undefined, { type: 'strategic', body }, { subresource: 'status' });
    ownWrites.add(node, patched.metadata.uid, patched.metadata.resourceVersion);
    return objectReply(message, patched, { withVersion: true });
  } catch (error) {
    return objectErrorReply(message, statusOf(error));
  }
};
