import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certificateDer } from '../src/ca/certificates.js';
import { createJoinToken } from '../src/ca/token.js';
import { EdgeClient, enrol, httpsGet, newRequest } from './edge-client.js';
import { type HubFixture, openHub } from './hub-fixture.js';

let cloud: HubFixture;
beforeAll(async () => {
  cloud = await openHub();
});
afterAll(() => cloud[Symbol.asyncDispose]());

const bearer = (offsetMs: number): string => `Bearer ${createJoinToken(cloud.pki.authority, Date.now() + offsetMs).split('.').slice(1).join('.')}`;

describe('the HTTPS side over real TLS', () => {
  it('[minicloud-1.8] hands out the authority as DER and says whether a node is known', async () => {
    const ca = await httpsGet(`https://${cloud.https}/ca.crt`);
    expect(ca.status).toBe(200);
    expect(ca.body.equals(certificateDer(cloud.pki.authority.certificatePem))).toBe(true);
    expect((await httpsGet(`https://${cloud.https}/node/known`)).status).toBe(200);
    expect((await httpsGet(`https://${cloud.https}/node/unknown`)).status).toBe(404);
    expect((await httpsGet(`https://${cloud.https}/node/`)).status).toBe(400);
    expect((await httpsGet(`https://${cloud.https}/else`)).status).toBe(404);
  });

  it('[minicloud-1.9] signs a request with the subject asked for, for client authentication', async () => {
    const keys = await cloud.keys('e1');
    const certificate = new X509Certificate(keys.cert);
    expect(certificate.subject.split('\n')).toEqual(expect.arrayContaining(['O=system:nodes', 'CN=system:node:e1', 'L=Hangzhou']));
    expect(certificate.keyUsage).toContain('1.3.6.1.5.5.7.3.2');
    expect(certificate.checkIssued(new X509Certificate(cloud.pki.authority.certificatePem))).toBe(true);
    expect(certificate.verify(new X509Certificate(cloud.pki.authority.certificatePem).publicKey)).toBe(true);
  });

  it('[minicloud-1.10] renews by the present certificate, and only the node\'s own', async () => {
    const keys = await cloud.keys('e1');
    const ask = async (node: string, name?: string): Promise<number> => {
      const { der } = await newRequest(node, name);
      return (await httpsGet(`https://${cloud.https}/edge.crt`, { ...keys, body: der, headers: { NodeName: node } })).status;
    };
    expect(await ask('e1')).toBe(200);
    expect(await ask('e2')).toBe(401);
    expect(await ask('e1', 'system:node:e2')).toBe(401);
  });

  it('[minicloud-1.11] refuses with 401 and the reason: no token, a bad one, an expired one', async () => {
    const { der } = await newRequest('e1');
    const ask = (authorization?: string): ReturnType<typeof httpsGet> =>
      httpsGet(`https://${cloud.https}/edge.crt`, { body: der, headers: { NodeName: 'e1', ...(authorization ? { Authorization: authorization } : {}) } });
    expect(await ask()).toMatchObject({ status: 401 });
    expect((await ask('Bearer a.b.c')).status).toBe(401);
    const expired = await ask(bearer(-1000));
    expect(expired.status).toBe(401);
    expect(expired.body.toString()).toContain('expired');
    expect((await ask(bearer(60_000))).status).toBe(200);
  });

  it('[minicloud-1.12] answers garbage with 500 and an endless body with 413, and goes on', async () => {
    const garbage = await httpsGet(`https://${cloud.https}/edge.crt`, { body: Buffer.from('garbage'), headers: { NodeName: 'e1', Authorization: bearer(60_000) } });
    expect(garbage.status).toBe(500);
    const { der } = await newRequest('e1');
    der[der.length - 3]! ^= 0xff;
    const forged = await httpsGet(`https://${cloud.https}/edge.crt`, { body: der, headers: { NodeName: 'e1', Authorization: bearer(60_000) } });
    expect(forged.status).toBe(500);
    const huge = await httpsGet(`https://${cloud.https}/edge.crt`, { body: Buffer.alloc(2_000_000) }).catch((error: unknown) => error);
    expect(huge instanceof Error || (huge as { status: number }).status === 413).toBe(true);
    expect((await httpsGet(`https://${cloud.https}/ca.crt`)).status).toBe(200);
  });

  it('[minicloud-1.13] signs short lives, whose end the link notices', async () => {
    await using brief = await openHub({}, 6000);
    const keys = await brief.keys('e1');
    const client = await EdgeClient.connect(brief.address, keys, 'e1');
    client.close();
    const end = Date.parse(new X509Certificate(keys.cert).validTo);
    await new Promise((resolve) => setTimeout(resolve, end + 1100 - Date.now()));
    await expect(EdgeClient.connect(brief.address, keys, 'e1')).rejects.toThrow();
    const token = createJoinToken(brief.pki.authority, Date.now() + 60_000);
    const again = await EdgeClient.connect(brief.address, await enrol(brief.https, token, 'e1'), 'e1');
    again.close();
  });
});
