import { createCertificateRequest, nodeCommonName, type CertificateRequest } from '@edge/core';

/** A fresh key and a request for the node's certificate, its subject in the order in which Go writes it. */
export function nodeCertificateRequest(node: string): CertificateRequest {
  return createCertificateRequest([
    ['country', 'CN'], ['organization', 'system:nodes'], ['locality', 'Hangzhou'], ['province', 'Zhejiang'], ['commonName', nodeCommonName(node)],
  ]);
}
