import type { KubeObject } from '@edge/kubeapi';
import { readDraft } from '../content.js';
import type { Handler } from '../context.js';
import type { RequestSpec } from '../serving-certificates.js';
import { notFoundStatus, objectErrorReply, objectReply, queryErrorReply, queryReply, statusOf } from '../messages.js';

const API = 'certificates.k8s.io/v1';

interface SigningRequest extends KubeObject {
  spec?: RequestSpec;
  status?: Record<string, unknown>;
}

export const insertCertificateRequest: Handler = async ({ node, message, path }, { source, serving }) => {
  try {
    const draft = readDraft(message.content, { apiVersion: API, kind: 'CertificateSigningRequest' }, { name: path.name });
    delete draft.metadata.namespace;
    const requests = source.resource<SigningRequest>(API, 'certificatesigningrequests');
    const made = await requests.create(draft);
    const certificate = await serving.sign(node, made.spec ?? {});
    if (certificate !== undefined) {
      const approved = { type: 'Approved', status: 'True', reason: 'NodeServing', message: `node ${node} asked for its own serving certificate` };
      await requests.modify(path.name, undefined, (copy) => void (copy.status = { conditions: [approved], certificate: Buffer.from(certificate).toString('base64') }), { subresource: 'status' });
    }
    return objectReply(message, made);
  } catch (error) {
    return objectErrorReply(message, statusOf(error));
  }
};

export const queryCertificateRequest: Handler = ({ message, path }, { source }) => {
  const found = source.resource(API, 'certificatesigningrequests').find(path.name);
  return Promise.resolve(found ? queryReply(message, found) : queryErrorReply(message, notFoundStatus('certificatesigningrequest', path.name, 'certificates.k8s.io')));
};
