import type { ObjectMeta } from '@edge/protocol';
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
    const stored = await clients.leases.update(draft);
    return objectReply(message, isTerse(message.content) ? terse(stored) : stored);
  } catch (error) {
    return objectErrorReply(message, statusOf(error));
  }
};

/** A renewal that says no more than it must, unlike the Go agent's, which sends the whole object back. */
function isTerse(content: unknown): boolean {
  return (content as { metadata?: { uid?: unknown } } | null)?.metadata?.uid === undefined;
}

/** Answered in kind: renewals every ten seconds are most of what crosses an idle link. */
function terse<T extends { metadata: ObjectMeta }>(lease: T): T {
  const { name, namespace, uid, resourceVersion } = lease.metadata;
  return { ...lease, metadata: { name, namespace, uid, resourceVersion } };
}
