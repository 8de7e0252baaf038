import { X509Certificate } from 'node:crypto';
import { createCell, type CloudLink, type LinkStatus, type Logger } from '@edge/core';
import { createErrorResponse, isFields } from '@edge/protocol';
import { createTestBus, createTestCa, testIdentity } from '@edge/testing';
import { expect, it } from 'vitest';
import { parseMetaServerConfig } from '../config.js';
import { CloudCertificates } from './cloud-certificates.js';

it('[metaserver-22.8] a request that waits for approval outlives losses of the link: what somebody approves is what the node has the key of', async () => {
  const ca = await createTestCa();
  const names: string[] = [];
  let looks = 0;
  let der = Buffer.alloc(0);
  const { bus, play } = createTestBus();
  play('websocket', 'hub', async (message) => {
    const reply = (object: unknown): unknown => ({ Object: object, Err: null });
    if (message.route.operation === 'insert') {
      names.push(message.route.resource);
      const spec = isFields(message.content) && isFields(message.content['spec']) ? message.content['spec'] : {};
      der = Buffer.from(Buffer.from(String(spec['request']), 'base64').toString().replace(/-----[^-]+-----|\s/g, ''), 'base64');
      return reply(message.content);
    }
    looks += 1;
    if (looks < 3) return createErrorResponse(message, 'the link is down', { source: 'websocket' });
    if (looks < 4) return reply({ status: {} });
    const certificate = new X509Certificate(await ca.certifyServer(der)).toString();
    return reply({ status: { certificate: Buffer.from(certificate).toString('base64') } });
  });
  const warnings: string[] = [];
  const log = { warn: (text: string) => void warnings.push(text) } as unknown as Logger;
  const link = createCell<LinkStatus>({ connected: true, session: 1, since: 0 }) as unknown as CloudLink;
  const certificates = new CloudCertificates({ bus, link, identity: testIdentity('edge-1'), config: parseMetaServerConfig({}), log, pollMs: 5 });
  const pair = await certificates.certify(new AbortController().signal);
  expect(new X509Certificate(pair.certificate).checkIP('127.0.0.1')).toBe('127.0.0.1');
  expect([names, looks]).toEqual([['default/certificatesigningrequest/metaserver-csr-edge-1'], 4]);
  expect(warnings).toEqual(['the certificate request of the local API waits for approval in the cloud']);
});
