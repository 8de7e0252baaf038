import { readDraft } from '../content.js';
import type { Handler } from '../context.js';
import { notFoundStatus, objectErrorReply, objectReply, statusOf } from '../messages.js';

const LEASE = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' };

/** The one answer of its form that carries kind and apiVersion. */
export const queryLease: Handler = ({ message, path }, { clients }) => {
  const found = clients.leases.find(path.name, path.namespace);
  return Promise.resolve(
    found
      ? objectReply(message, found, { withKind: true })
      : objectErrorReply(message, notFoundStatus('lease', path.name, 'coordination.k8s.io')),
  );
};

export const insertLease: Handler = async ({ message, path }, { clients }) => {
  try {
    const draft = readDraft(message.content, LEASE, { name: path.name, namespace: path.namespace });
    return objectReply(message, await clients.leases.create(draft));
  } catch (error) {
    return objectErrorReply(message, statusOf(error));
  }
};

export const updateLease: Handler = async ({ message, path }, { clients }) => {
  try {
    const draft = readDraft(message.content, LEASE, { name: path.name, namespace: path.namespace });
    return objectReply(message, await clients.leases.update(draft));
  } catch (error) {
    return objectErrorReply(message, statusOf(error));
  }
};
