import { execFileSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestCa, type TestCa } from '@edge/testing';
import { createMessage } from '@edge/protocol';
import { beforeAll, expect, it } from 'vitest';
import { nodeCertificateRequest } from '../src/certificates/request.js';
import { FakeCloud } from './fake-cloud.js';
import { NODE, scene } from './scene.js';

let ca: TestCa;
beforeAll(async () => {
  ca = await createTestCa();
});

it('[edgehub-1.1] joins with a token: checks the CA, gets a certificate, connects, and has the token forgotten', async () => {
  await using cloud = await FakeCloud.start(ca);
  await using place = await scene({ hubPort: cloud.hubPort, httpsPort: cloud.httpsPort, token: cloud.token() });
  await using running = await place.run();
  await cloud.until(() => cloud.sessions.length === 1, 'the link');
  expect(cloud.asked).toEqual([
    { path: '/ca.crt', node: '', bearer: false, client: '' },
    { path: '/edge.crt', node: NODE, bearer: true, client: '' },
  ]);
  expect(place.forgotten.times).toBe(1);
  const certificate = new X509Certificate(await readFile(join(place.folder, 'certs', 'server.crt')));
  expect(certificate.subject.split('\n')).toEqual(['C=CN', 'O=system:nodes', 'L=Hangzhou', 'ST=Zhejiang', `CN=system:node:${NODE}`]);
  const key = await readFile(join(place.folder, 'certs', 'server.key'), 'utf8');
  expect(key).toMatch(/^-----BEGIN EC PRIVATE KEY-----\n/);
  expect(certificate.checkPrivateKey(createPrivateKey(key))).toBe(true);
  expect(await readFile(join(place.folder, 'ca', 'rootCA.crt'), 'utf8')).toContain('BEGIN CERTIFICATE');
  const mode = async (path: string): Promise<string> => ((await stat(join(place.folder, path))).mode & 0o777).toString(8);
  expect([await mode('ca'), await mode('certs'), await mode('certs/server.key')]).toEqual(['700', '700', '600']);
  expect(JSON.stringify(running.lines)).not.toContain(cloud.token().split('.')[3]);
});

it('[edgehub-1.2] makes a request that openssl verifies', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'edgehub-'));
  try {
    const request = nodeCertificateRequest('edge-ä.example');
    await writeFile(join(folder, 'csr'), request.der);
    await writeFile(join(folder, 'key'), request.privateKey);
    const openssl = (...args: string[]): string => execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    expect(openssl('req', '-inform', 'DER', '-in', join(folder, 'csr'), '-verify', '-noout', '-subject', '-nameopt', 'utf8,sep_comma_plus')).toContain('CN=system:node:edge-ä.example');
    expect(openssl('ec', '-in', join(folder, 'key'), '-noout', '-text')).toContain('prime256v1');
    expect(openssl('req', '-inform', 'DER', '-in', join(folder, 'csr'), '-pubkey', '-noout')).toBe(openssl('ec', '-in', join(folder, 'key'), '-pubout'));
  } finally {
    await rm(folder, { recursive: true });
  }
});

it('[edgehub-1.3] uses certificates that lie there and asks the cloud for none', async () => {
  await using cloud = await FakeCloud.start(ca);
  await using place = await scene({ hubPort: cloud.hubPort, httpsPort: cloud.httpsPort, token: cloud.token(), pair: { ca } });
  await using running = await place.run();
  await cloud.until(() => cloud.sessions.length === 1, 'the link');
  expect(cloud.asked).toEqual([]);
  await running.stop();
});

it('[edgehub-1.4] enrols anew when the certificate is for another node name', async () => {
  await using cloud = await FakeCloud.start(ca);
  await using place = await scene({ hubPort: cloud.hubPort, httpsPort: cloud.httpsPort, token: cloud.token(), pair: { ca, node: 'other' } });
  await using running = await place.run();
  await cloud.until(() => cloud.sessions.length === 1, 'the link');
  expect(cloud.asked.map(({ path }) => path)).toEqual(['/ca.crt', '/edge.crt']);
  await running.stop();
});

it('[edgehub-1.5] joins another cloud when its certificates do not fit and a token for that cloud is there', async () => {
  const elsewhere = await createTestCa();
  await using cloud = await FakeCloud.start(elsewhere);
  await using place = await scene({ hubPort: cloud.hubPort, httpsPort: cloud.httpsPort, token: cloud.token(), pair: { ca } });
  await using running = await place.run();
  await cloud.until(() => cloud.sessions.length === 1, 'the link');
  await running.stop();
});

it('[edgehub-1.6] finishes a change of certificates that a crash cut in two', async () => {
  await using cloud = await FakeCloud.start(ca);
  await using place = await scene({ hubPort: cloud.hubPort, pair: { ca } });
  const [key, certificate] = [join(place.folder, 'certs', 'server.key'), join(place.folder, 'certs', 'server.crt')];
  const fresh = await ca.node(NODE);
  // Certificate renamed, key not yet.
  await writeFile(certificate, fresh.certificate);
  await writeFile(`${key}.next`, fresh.privateKey);
  await using running = await place.run();
  await cloud.until(() => cloud.sessions.length === 1, 'the link');
  expect(await readFile(key, 'utf8')).toBe(fresh.privateKey);
  await running.stop();
});

it('[edgehub-1.7] renews before the end with a new key, and loses no request over it', async () => {
  await using cloud = await FakeCloud.start(ca);
  // 70 to 90 % of this life are over in 4 to 8 s from now: the link is open by then, and the certificate good for a while.
  const now = Date.now();
  const validity = { notBefore: new Date(now - 9000), notAfter: new Date(now + 10_000) };
  await using place = await scene({ hubPort: cloud.hubPort, httpsPort: cloud.httpsPort, pair: { ca, validity } });
  const before = await readFile(join(place.folder, 'certs', 'server.key'), 'utf8');
  await using running = await place.run();
  await cloud.until(() => running.lines.some(({ message }) => message === 'the link to the cloud is open'), 'the link');
  let failed = 0;
  let asked = 0;
  let asking = true;
  const load = (async () => {
    while (asking) {
      const question = createMessage({ source: 'edged', group: 'meta', operation: 'query', resource: 'default/configmap/c' });
      const answer = await running.bus.bus.request({ group: 'hub' }, question);
      asked += 1;
      if (answer.route.operation === 'error') failed += 1;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
  await cloud.until(() => cloud.sessions.length === 2, 'the session with the new certificate', 40_000);
  await new Promise((resolve) => setTimeout(resolve, 300));
  asking = false;
  await load;
  expect(asked).toBeGreaterThan(10);
  expect(failed).toBe(0);
  expect(cloud.asked).toEqual([{ path: '/edge.crt', node: NODE, bearer: false, client: `system:node:${NODE}` }]);
  expect(cloud.sessions[1]?.certificateSerial).not.toBe(cloud.sessions[0]?.certificateSerial);
  expect(await readFile(join(place.folder, 'certs', 'server.key'), 'utf8')).not.toBe(before);
});

it('[edgehub-1.8] keeps the old pair while the new one has not connected', async () => {
  const other = await createTestCa();
  await using cloud = await FakeCloud.start(ca);
  const now = Date.now();
  await using place = await scene({ hubPort: cloud.hubPort, httpsPort: cloud.httpsPort, pair: { ca, validity: { notBefore: new Date(now - 90_000), notAfter: new Date(now + 10_000) } } });
  const before = await readFile(join(place.folder, 'certs', 'server.crt'), 'utf8');
  // The endpoint signs with a CA that the link does not accept.
  cloud.habits.http = (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => void other.certify(Buffer.concat(chunks)).then((der) => response.end(der)));
  };
  await using running = await place.run();
  await cloud.until(() => running.lines.some(({ message }) => message.includes('closed the connection instead of opening')), 'the refusal');
  expect(await readFile(join(place.folder, 'certs', 'server.crt'), 'utf8')).toBe(before);
  const question = createMessage({ source: 'edged', group: 'meta', operation: 'query', resource: 'default/configmap/c' });
  expect((await running.bus.bus.request({ group: 'hub' }, question)).route.operation).toBe('response');
});

it('[edgehub-1.9] is ready with an expired certificate and no cloud, and enrols by itself when a token is put there', async () => {
  let token = '';
  const cloud = await FakeCloud.start(ca);
  await using _ = cloud;
  const now = Date.now();
  const validity = { notBefore: new Date(now - 90_000), notAfter: new Date(now - 10_000) };
  await using place = await scene({ hubPort: cloud.hubPort, httpsPort: cloud.httpsPort, pair: { ca, validity }, readToken: () => token });
  await using running = await place.run();
  await cloud.until(() => running.lines.some(({ message }) => message.includes('put a new token')), 'what to do');
  expect(cloud.sessions).toHaveLength(0);
  token = cloud.token();
  await cloud.until(() => cloud.sessions.length === 1, 'the link', 20_000);
  expect(running.core.health.value['edgehub']).toMatchObject({ phase: 'ready', restarts: 0 });
}, 40_000);

it('[edgehub-1.10] follows no redirect, however many there are', async () => {
  await using cloud = await FakeCloud.start(ca);
  let times = 0;
  cloud.habits.http = (request, response) => {
    times += 1;
    response.writeHead(302, { Location: `https://127.0.0.1:${cloud.httpsPort}${request.url ?? ''}?${times}` }).end();
  };
  await using place = await scene({ hubPort: cloud.hubPort, httpsPort: cloud.httpsPort, token: cloud.token() });
  await using running = await place.run();
  await cloud.until(() => running.lines.some(({ message }) => message.includes('this is not CloudHub')), 'the refusal');
  expect(times).toBe(1);
});

it('[edgehub-1.11] reads no more than 1 MiB from the certificate endpoint', async () => {
  await using cloud = await FakeCloud.start(ca);
  let sent = 0;
  cloud.habits.http = (_request, response) => {
    const chunk = Buffer.alloc(65_536);
    const more = (): void => {
      while (!response.destroyed && sent < 64 * 1024 * 1024) {
        sent += chunk.length;
        if (!response.write(chunk)) return void response.once('drain', more);
      }
    };
    more();
  };
  await using place = await scene({ hubPort: cloud.hubPort, httpsPort: cloud.httpsPort, token: cloud.token() });
  await using running = await place.run();
  await cloud.until(() => running.lines.some(({ message }) => message.includes('more than 1048576 bytes')), 'the refusal');
  expect(sent).toBeLessThan(16 * 1024 * 1024);
});

it('[edgehub-1.12] loses no certificate when the folder of the files is moved away while running', async () => {
  await using cloud = await FakeCloud.start(ca);
  await using place = await scene({ hubPort: cloud.hubPort, pair: { ca } });
  await using running = await place.run();
  await cloud.until(() => cloud.sessions.length === 1, 'the link');
  await rename(join(place.folder, 'certs'), join(place.folder, 'gone'));
  cloud.socket.terminate();
  await cloud.until(() => cloud.sessions.length === 2, 'the next session');
  await running.stop();
});

it('[edgehub-1.13] never has two sessions side by side when it changes certificates: CloudHub would end both', async () => {
  await using cloud = await FakeCloud.start(ca);
  // When the older connection of a node breaks off, CloudHub looks the node's session up by name and ends the newer one.
  cloud.habits.onOpen = () => {
    const open = cloud.sessions.filter(({ socket }) => socket.readyState === socket.OPEN);
    if (open.length > 1) for (const { socket } of open) socket.terminate();
  };
  const now = Date.now();
  const validity = { notBefore: new Date(now - 9000), notAfter: new Date(now + 10_000) };
  await using place = await scene({ hubPort: cloud.hubPort, httpsPort: cloud.httpsPort, pair: { ca, validity } });
  await using running = await place.run();
  await cloud.until(() => running.lines.some(({ message }) => message === 'certificate replaced'), 'the change', 40_000);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(cloud.sessions).toHaveLength(2);
  expect(running.lines.filter(({ message }) => message.includes('is lost'))).toEqual([]);
  const question = createMessage({ source: 'edged', group: 'meta', operation: 'query', resource: 'default/configmap/c' });
  expect((await running.bus.bus.request({ group: 'hub' }, question)).route.operation).toBe('response');
});
