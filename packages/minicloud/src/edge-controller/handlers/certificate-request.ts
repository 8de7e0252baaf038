import { readDraft } from '../content.js';
import type { Handler } from '../context.js';
import { notFoundStatus, objectErrorReply, objectReply, queryErrorReply, queryReply, statusOf } from '../messages.js';

const API = 'certificates.k8s.io/v1';

export const insertCertificateRequest: Handler = async ({ message, path }, { source }) => {
  try {
    const draft = readDraft(message.content, { apiVersion: API, kind: 'CertificateSigningRequest' }, { name: path.name });
    delete draft.metadata.namespace;
    return objectReply(message, await source.resource(API, 'certificatesigningrequests').create(draft));
  } catch (error) {
    return objectErrorReply(message, statusOf(error));
  }
};

export const queryCertificateRequest: Handler = ({ message, path }, { source }) => {
  const found = source.resource(API, 'certificatesigningrequests').find(path.name);
  return Promise.resolve(found ? queryReply(message, found) : queryErrorReply(message, notFoundStatus('certificatesigningrequest', path.name, 'certificates.k8s.io')));
};
