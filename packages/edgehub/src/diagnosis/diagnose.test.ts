import { expect, it } from 'vitest';
import { parseEdgeHubConfig } from '../config.js';
import { DialError, EdgeHubErrors } from '../errors.js';
import { diagnose, type Diagnosis } from './diagnose.js';

const config = parseEdgeHubConfig({ websocket: { server: '10.0.0.1:10000' }, httpServer: 'https://10.0.0.1:10002' }, {});

function of(code: string, cause: string, purpose: 'enrol' | 'link' = 'link'): Diagnosis {
  const inner = Object.assign(new Error(cause), { code: cause });
  const error = new DialError(code, `no connection: ${cause}`, { address: '10.0.0.1:10000', stage: 'connect' }, { cause: inner });
  return diagnose({ purpose, error, node: 'edge-1', now: Date.UTC(1970, 0, 1), config });
}

it('[edgehub-6.30] names what the platform says about an address', () => {
  for (const code of ['EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'ENETDOWN']) {
    expect(of(EdgeHubErrors.connect, code)).toMatchObject({ code: 'unreachable', text: expect.stringContaining('check the network of this machine') as string });
  }
  expect(of(EdgeHubErrors.connect, 'EAI_AGAIN')).toMatchObject({ code: 'name-unknown' });
  expect(of(EdgeHubErrors.connect, 'ECONNREFUSED', 'enrol').text).toContain('modules.edgeHub.httpServer');
});

it('[edgehub-6.31] names the clock of 1970', () => {
  expect(of(EdgeHubErrors.tls, 'CERT_NOT_YET_VALID')).toMatchObject({ code: 'clock-off', text: expect.stringContaining('the clock here says 1970-01-01T00:00:00.000Z') as string });
});

it('[edgehub-6.32] looks through happy eyeballs, which report one error per address', () => {
  const each = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
  const error = new DialError(EdgeHubErrors.connect, 'no connection', { address: 'cloud:10000', stage: 'connect' }, { cause: new AggregateError([each, each]) });
  expect(diagnose({ purpose: 'link', error, node: 'n', now: 0, config }).code).toBe('refused');
});

it('[edgehub-6.33] asks for other certificates only where they could help', () => {
  expect(of(EdgeHubErrors.upgrade, 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA').certificates).toBe(true);
  expect(of(EdgeHubErrors.connect, 'ECONNREFUSED').certificates).toBe(false);
});

it('[edgehub-6.34] passes on what it does not know, whatever was thrown', () => {
  for (const thrown of [undefined, null, 'text', 7, new Error('odd'), { facts: undefined }]) {
    expect(diagnose({ purpose: 'link', error: thrown, node: 'n', now: 0, config })).toMatchObject({ code: 'other' });
  }
});
