import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildProgram, endProgram, startProgram } from './child-program.js';

interface Access {
  readonly url: string;
  readonly ca: Buffer;
  readonly token: string;
}

async function readAccess(path: string): Promise<Access> {
  const config = parse(await readFile(path, 'utf8')) as {
    clusters: { cluster: { server: string; 'certificate-authority-data': string } }[]; users: { user: { token: string } }[];
  };
  const { server, 'certificate-authority-data': ca } = config.clusters[0]!.cluster;
  return { url: server, ca: Buffer.from(ca, 'base64'), token: config.users[0]!.user.token };
}

function call<T>(access: Access, method: string, path: string, body?: object): Promise<T> {
  return new Promise((resolve, reject) => {
    const sent = request(`${access.url}${path}`, { method, ca: access.ca, headers: { Authorization: `Bearer ${access.token}`, 'Content-Type': 'application/json' } }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString())).on('error', reject);
      response.on('end', () => (response.statusCode! < 300 ? resolve(JSON.parse(text) as T) : reject(new Error(`${response.statusCode} ${text}`))));
    });
    sent.on('error', reject);
    sent.end(body && JSON.stringify(body));
  });
}

interface List {
  items: { metadata: { name: string; uid: string; resourceVersion: string } }[];
}

let program: string;
let dataDir: string;
beforeAll(async () => {
  program = await buildProgram();
  dataDir = await mkdtemp(join(tmpdir(), 'minicloud-'));
}, 60_000);
afterAll(() => rm(dataDir, { recursive: true, force: true }));

describe('the program in a process of its own', () => {
  it('[minicloud-6.1] killed with -9 at any moment, it holds everything that it answered', async () => {
    const answered = new Map<string, string>();
    let [highest, token] = [0, ''];
    // More rounds where a busy machine gets little done before the end.
    for (let round = 0; round < 8 || (round < 40 && answered.size <= 20); round += 1) {
      const { child, ready } = await startProgram(program, ['--data', dataDir]);
      const access = await readAccess(ready.kubeconfig);
      if (token !== '') expect(access.token).toBe(token);
      token = access.token;
      const { items } = await call<List>(access, 'GET', '/api/v1/namespaces/default/configmaps');
      const present = new Map(items.map((item) => [item.metadata.name, item.metadata.uid]));
      for (const [name, uid] of answered) expect(present.get(name)).toBe(uid);
      const killAfter = 30 + Math.random() * 200;
      const kill = setTimeout(() => child.kill('SIGKILL'), killAfter);
      const write = async (worker: number): Promise<void> => {
        for (let count = 0; ; count += 1) {
          const name = `r${round}-w${worker}-${count}`;
          const made = await call<List['items'][0]>(access, 'POST', '/api/v1/namespaces/default/configmaps', { metadata: { name }, data: { a: 'x'.repeat(200) } });
          answered.set(name, made.metadata.uid);
          highest = Math.max(highest, Number(made.metadata.resourceVersion));
        }
      };
      await Promise.allSettled([write(0), write(1), write(2)]);
      clearTimeout(kill);
      await endProgram(child, 'SIGKILL');
    }
    expect(answered.size).toBeGreaterThan(20);
    const { child, ready } = await startProgram(program, ['--data', dataDir]);
    const made = await call<List['items'][0]>(await readAccess(ready.kubeconfig), 'POST', '/api/v1/namespaces/default/configmaps', { metadata: { name: 'last' } });
    expect(Number(made.metadata.resourceVersion)).toBeGreaterThan(highest);
    expect(await endProgram(child, 'SIGTERM')).toBe(0);
  }, 120_000);

  it('[minicloud-6.2] ends when its parent is gone', async () => {
    const { child } = await startProgram(program, ['--data', dataDir]);
    const exit = once(child, 'exit');
    child.stdin?.end();
    expect(((await exit) as [number])[0]).toBe(0);
  });

  it('[minicloud-6.3] says what is wrong with its arguments and with a port that is taken', async () => {
    await expect(startProgram(program, [])).rejects.toThrow(/with 2: .*--data/);
    await expect(startProgram(program, ['--data', dataDir, '--hub-port', 'x'])).rejects.toThrow(/with 2: .*--hub-port/);
    await expect(startProgram(program, ['--data', dataDir, '--nonsense'])).rejects.toThrow(/with 2: .*nonsense/);
    const { child, ready } = await startProgram(program, ['--data', dataDir]);
    const other = await mkdtemp(join(tmpdir(), 'minicloud-'));
    const port = ready.hubAddress.split(':')[1]!;
    await expect(startProgram(program, ['--data', other, '--hub-port', port])).rejects.toThrow(new RegExp(`with 1: [^]*127.0.0.1:${port}[^]*another`));
    await rm(other, { recursive: true });
    expect(await endProgram(child, 'SIGTERM')).toBe(0);
  });
});
