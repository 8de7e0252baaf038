import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttp } from 'node:http';
import { connect, createServer as createTcp, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestCa, type TestCa } from '@edge/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { FakeCloud } from './fake-cloud.js';
import { scene, type SceneOptions } from './scene.js';

/** Each fault is produced by a real server; the first error line has to name it and what to do. */
let ca: TestCa;
let other: TestCa;
beforeAll(async () => {
  [ca, other] = await Promise.all([createTestCa(), createTestCa()]);
});

async function firstError(options: SceneOptions, cloud?: FakeCloud): Promise<string> {
  await using place = await scene(options);
  await using running = await place.run();
  const until = Date.now() + 15_000;
  for (;;) {
    const line = running.lines.find(({ level }) => level === 'error');
    if (line) {
      expect(running.core.health.value['edgehub']).toMatchObject({ phase: 'ready', restarts: 0 });
      // One line for one cause, however often it is tried.
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(running.lines.filter(({ level }) => level === 'error').map(({ message }) => message)).toEqual([line.message]);
      const secret = options.token?.split('.').at(-1) ?? '';
      if (secret.length > 4) expect(JSON.stringify(running.lines)).not.toContain(secret);
      return line.message;
    }
    if (Date.now() > until) throw new Error(`no error was logged: ${JSON.stringify(running.lines)} ${cloud?.sessions.length}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function listen(server: Server): Promise<{ port: number } & AsyncDisposable> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => undefined).resume()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      await new Promise((resolve) => {
        server.close(resolve);
        for (const socket of sockets) socket.destroy();
      });
    },
  };
}

describe('what is wrong with the token', () => {
  it('[edgehub-6.1] a token that is none', async () => {
    for (const token of ['abc', 'a.b.c.d', `${'0'.repeat(64)}.x.y.z`]) expect(await firstError({ hubPort: 1, token })).toMatch(/^the join token is malformed, its? .*keadm gettoken/);
  });

  it('[edgehub-6.2] no token and no certificate', async () => {
    expect(await firstError({ hubPort: 1 })).toMatch(/no usable certificate \(.*server\.crt\) and modules\.edgeHub\.token is empty: get a new one/);
  });

  it('[edgehub-6.3] a token that expired, with the time', async () => {
    await using cloud = await FakeCloud.start(ca);
    const token = cloud.token(new Date('2026-01-02T03:04:05Z'));
    expect(await firstError({ hubPort: cloud.hubPort, httpsPort: cloud.httpsPort, token })).toMatch(/expired at 2026-01-02T03:04:05\.000Z \(it is .* now\): get a new one/);
    expect(cloud.asked.map(({ bearer }) => bearer)).not.toContain(true);
  });

  it('[edgehub-6.4] a token of another cloud, with both hashes; the token is not sent there', async () => {
    await using cloud = await FakeCloud.start(ca);
    const text = await firstError({ hubPort: cloud.hubPort, httpsPort: cloud.httpsPort, token: cloud.token(undefined, other.hash) });
    expect(text).toContain(other.hash);
    expect(text).toContain(ca.hash);
    expect(cloud.asked.map(({ bearer }) => bearer)).not.toContain(true);
  });

  it('[edgehub-6.5] a token that the cloud refuses', async () => {
    await using cloud = await FakeCloud.start(ca);
    const token = `${cloud.token().split('.').slice(0, 3).join('.')}.forged`;
    expect(await firstError({ hubPort: cloud.hubPort, httpsPort: cloud.httpsPort, token })).toMatch(/refused to certify this node \(401 Invalid authorization token\).*get a new one/);
  });

  it('[edgehub-6.6] takes the base64 form that kubectl shows, and white space', async () => {
    await using cloud = await FakeCloud.start(ca);
    await using place = await scene({ hubPort: cloud.hubPort, httpsPort: cloud.httpsPort, token: ` ${Buffer.from(cloud.token()).toString('base64')}\n` });
    await using running = await place.run();
    await cloud.until(() => cloud.sessions.length === 1, 'the link');
    await running.stop();
  });
});

describe('what is wrong with certificates and clocks', () => {
  it('[edgehub-6.7] the cloud has another CA than the file', async () => {
    await using cloud = await FakeCloud.start(other);
    expect(await firstError({ hubPort: cloud.hubPort, httpsPort: cloud.httpsPort, pair: { ca } })).toMatch(/the CA in .*rootCA\.crt did not sign: either it is another cloud, or the cloud was installed anew/);
  });

  it('[edgehub-6.8] the certificate lacks the dialled address; lists what it has', async () => {
    await using cloud = await FakeCloud.start(ca, { names: ['10.0.0.7', 'cloud.example'] });
    expect(await firstError({ hubPort: cloud.hubPort, pair: { ca } })).toMatch(/is for 10\.0\.0\.7, cloud\.example: put one of these into modules\.edgeHub\.websocket\.server/);
  });

  it('[edgehub-6.9] the clock is behind', async () => {
    const day = 86_400_000;
    await using cloud = await FakeCloud.start(ca, { validity: { notBefore: new Date(Date.now() + day), notAfter: new Date(Date.now() + 2 * day) } });
    expect(await firstError({ hubPort: cloud.hubPort, pair: { ca } })).toMatch(/is valid from .* to .*, the clock here says .*: set the clock/);
  });

  it('[edgehub-6.10] the certificate of the cloud has ended, or the clock is ahead', async () => {
    await using cloud = await FakeCloud.start(ca, { validity: { notBefore: new Date(Date.now() - 90_000), notAfter: new Date(Date.now() - 1000) } });
    expect(await firstError({ hubPort: cloud.hubPort, pair: { ca } })).toMatch(/the clock here says .*: set the clock of this machine \(NTP\), or renew the certificate of the cloud/);
  });

  it('[edgehub-6.11] the cloud closes because another CA made our certificate', async () => {
    await using cloud = await FakeCloud.start(ca);
    expect(await firstErrorOfLink(cloud.hubPort, { ca: other })).toMatch(/closed the connection instead of opening the link: either it refused the certificate of this node \(.*put a new token/);
  });

  it('[edgehub-6.12] the cloud refuses our certificate with an alert, as Go and OpenSSL do', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'edgehub-'));
    const { certificate, privateKey } = await ca.server();
    await Promise.all([writeFile(join(folder, 'ca'), ca.certificate), writeFile(join(folder, 'crt'), certificate), writeFile(join(folder, 'key'), privateKey)]);
    const probe = await listen(createTcp());
    await probe[Symbol.asyncDispose]();
    const files = ['-CAfile', join(folder, 'ca'), '-cert', join(folder, 'crt'), '-key', join(folder, 'key')];
    const server = spawn('openssl', ['s_server', '-accept', `127.0.0.1:${probe.port}`, ...files, '-Verify', '1', '-verify_return_error', '-quiet'], { stdio: 'ignore' });
    try {
      await reachable(probe.port);
      expect(await firstErrorOfLink(probe.port, { ca: other })).toMatch(/^the cloud refused the certificate of this node \((unknown ca|decrypt error|bad certificate)\): .*server\.crt was not made by the CA of .*put a new token/);
    } finally {
      server.kill('SIGKILL');
      await rm(folder, { recursive: true });
    }
  });

  it('[edgehub-6.13] our certificate has ended', async () => {
    await using cloud = await FakeCloud.start(ca);
    const validity = { notBefore: new Date('2026-01-01T00:00:00Z'), notAfter: new Date('2026-01-02T03:04:05Z') };
    expect(await firstErrorOfLink(cloud.hubPort, { ca, validity }, cloud.httpsPort)).toMatch(/ended at 2026-01-02T03:04:05\.000Z, the clock here says .*: put a new token/);
  });
});

describe('what is wrong with the address', () => {
  it('[edgehub-6.14] nothing listens there', async () => {
    const gone = await listen(createTcp());
    await gone[Symbol.asyncDispose]();
    expect(await firstError({ hubPort: gone.port, pair: { ca } })).toMatch(/^nothing listens at 127\.0\.0\.1:\d+: check address and port in modules\.edgeHub\.websocket\.server/);
    expect(await firstError({ hubPort: 1, httpsPort: gone.port, token: `${'0'.repeat(64)}.e30.e30.x` })).toMatch(/^nothing listens at .*modules\.edgeHub\.httpServer/);
  });

  it('[edgehub-6.15] the name is unknown', async () => {
    expect(await firstError({ hubPort: 10000, host: 'no-such-host.invalid', pair: { ca } })).toMatch(/^the name in no-such-host\.invalid:10000 cannot be resolved \(E(NOTFOUND|AI_AGAIN)\)/);
  });

  it('[edgehub-6.16] the port does not speak TLS', async () => {
    await using plain = await listen(createHttp());
    expect(await firstError({ hubPort: plain.port, pair: { ca } })).toMatch(/does not speak TLS: check the port/);
  });

  it('[edgehub-6.17] the port answers HTTP instead of opening the link', async () => {
    await using cloud = await FakeCloud.start(ca);
    expect(await firstError({ hubPort: cloud.httpsPort, pair: { ca } })).toMatch(/answers with HTTP 404 instead of opening the link: .* 10000 unless changed/);
  });

  it('[edgehub-6.18] the certificate endpoint is the link\'s port', async () => {
    await using cloud = await FakeCloud.start(ca);
    expect(await firstError({ hubPort: cloud.hubPort, httpsPort: cloud.hubPort, token: cloud.token() })).toMatch(/asks for a client certificate.*needs CloudHub's HTTPS port, 10002 unless changed/);
  });

  it('[edgehub-6.19] the other side takes the connection and says nothing', async () => {
    await using mute = await listen(createTcp());
    expect(await firstError({ hubPort: mute.port, pair: { ca } })).toMatch(/takes TCP connections and then says nothing for 4000 ms: packets get lost/);
  }, 20_000);
});

/** As `firstError` for a node whose certificates do not fit the CA file, which is that of `ca`. */
async function firstErrorOfLink(hubPort: number, pair: NonNullable<SceneOptions['pair']>, httpsPort = 1): Promise<string> {
  await using place = await scene({ hubPort, httpsPort, pair });
  await writeFile(join(place.folder, 'ca', 'rootCA.crt'), ca.certificate);
  await using running = await place.run();
  for (let round = 0; round < 1000; round += 1) {
    const line = running.lines.find(({ level }) => level === 'error');
    if (line) return line.message;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('no error was logged');
}

async function reachable(port: number): Promise<void> {
  for (let round = 0; round < 200; round += 1) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true));
      socket.on('error', () => resolve(false)).on('connect', () => socket.destroy());
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('openssl s_server does not listen');
}
