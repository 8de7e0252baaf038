import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudLink, Core, CONTRACT_VERSIONS, createCell, NodeIdentity, provideValue, Store, type LinkStatus, type LocalBus, type ModuleDefinition } from '@edge/core';
import { metamanager } from '@edge/metamanager';
import { metaserver } from '@edge/metaserver';
import { createMessage, type KubeObject, type Message } from '@edge/protocol';
import { openStore } from '@edge/store';
import { collectingDeadLetters, collectingLogger, createTestBus, eventually, testGates, testIdentity } from '@edge/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';

interface Item {
  readonly metadata: { readonly name: string; readonly resourceVersion: string };
}

/** The two modules over a real database file; the hub is played. */
interface Node extends AsyncDisposable {
  push(operation: string, resource: string, content: unknown, source?: string): Promise<void>;
  get(path: string, init?: RequestInit): Promise<Response>;
  items(path: string): Promise<Item[]>;
  readonly acknowledged: readonly string[];
}

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'local-api-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const until = (fits: () => boolean | Promise<boolean>, what: string): Promise<true> => eventually(async () => ((await fits()) ? true : undefined), what);
const MAPS = '/api/v1/namespaces/default/configmaps';
const object = (kind: string, name: string, version: number, over: object = {}): KubeObject => ({
  apiVersion: 'v1', kind, metadata: { name, namespace: 'default', uid: `uid-${name}`, resourceVersion: String(version), creationTimestamp: '2026-01-01T00:00:00Z' }, ...over,
});

async function startNode(file: string, cloud?: (application: { Verb: string; Key: string }) => object): Promise<Node> {
  const log = collectingLogger();
  const store = await openStore({ path: join(folder, file), log });
  const link = createCell<LinkStatus>({ connected: cloud !== undefined, session: cloud === undefined ? 0 : 1, since: 0 });
  const core = new Core({
    config: { modules: { metaManager: { metaServer: { enable: true, server: '127.0.0.1:0' } } } },
    log, gates: testGates(), deadLetters: collectingDeadLetters(), contract: CONTRACT_VERSIONS, readyTimeoutMs: 20_000,
    platform: (bind) => {
      bind(Store).toConstantValue(store);
      bind(NodeIdentity).toConstantValue(testIdentity());
    },
  });
  const linked = (module: ModuleDefinition): ModuleDefinition => ({ ...module, bindings: (bind) => { module.bindings(bind); provideValue(bind, CloudLink, link); } });
  for (const module of [metamanager, metaserver]) core.register(linked(module as unknown as ModuleDefinition));
  const bus = createTestBus(core.bus as LocalBus);
  const acknowledged: string[] = [];
  bus.play('websocket', 'hub', (message: Message) => {
    if (message.header.parentId !== undefined) acknowledged.push(message.header.parentId);
    if (message.route.group !== 'dynamiccontroller' || cloud === undefined) return undefined;
    const application = message.content as { Verb: string; Key: string };
    const body = Buffer.from(JSON.stringify(cloud(application))).toString('base64');
    return createMessage({ source: 'dynamiccontroller', group: 'resource', operation: 'applicationResponse', resource: 'ignore/Application/ignore', parentId: message.header.id, content: { ...application, Status: 'Approved', RespBody: body } });
  });
  const end = new AbortController();
  const life = core.run(end.signal);
  const address = (): unknown => log.lines.find(({ message }) => message === 'the local API listens')?.fields['address'];
  await until(() => address() !== undefined, 'the local API to listen');
  const get = (path: string, init?: RequestInit): Promise<Response> => fetch(`http://${String(address())}${path}`, init);
  return {
    acknowledged,
    get,
    items: async (path) => ((await (await get(path)).json()) as { items: Item[] }).items,
    push: async (operation, resource, content, source = 'edgecontroller') => {
      const message = createMessage({ source, group: 'resource', operation, resource, content });
      await core.bus.send({ group: 'meta' }, message);
      await until(() => acknowledged.includes(message.header.id), 'the acknowledgement');
    },
    [Symbol.asyncDispose]: async () => {
      end.abort();
      await life;
      await store[Symbol.asyncDispose]();
    },
  };
}

it('[local-api-1.1] what the cloud pushes shows in the node\'s API, deletions without kind too, and keeps its version over a restart', async () => {
  let before: Item[];
  {
    await using node = await startNode('pushed.db');
    await node.push('insert', 'default/configmap/a', object('ConfigMap', 'a', 10));
    await node.push('insert', 'default/configmap/b', object('ConfigMap', 'b', 12));
    await node.push('update', 'default/configmap/a', object('ConfigMap', 'a', 11));
    await node.push('insert', 'default/service/web', object('Service', 'web', 13), 'dynamiccontroller');
    await node.push('delete', 'default/configmap/b', { metadata: { name: 'b', namespace: 'default', uid: 'uid-b' } });
    await until(async () => (await node.items(MAPS)).length === 1 && (await node.items('/api/v1/services')).length === 1, 'one ConfigMap and one Service');
    before = await node.items(MAPS);
    expect((await node.get(`${MAPS}/b`)).status).toBe(404);
  }
  await using again = await startNode('pushed.db');
  expect(await again.items(MAPS)).toEqual(before);
});

it('[local-api-1.2] what was read in the cloud is there without it, after a restart as well', async () => {
  const listed = { apiVersion: 'v1', kind: 'ConfigMapList', metadata: { resourceVersion: '90' }, items: [object('ConfigMap', 'x', 40), object('ConfigMap', 'y', 41)] };
  {
    await using node = await startNode('read.db', ({ Verb }) => (Verb === 'list' ? listed : object('ConfigMap', 'x', 42, { data: { n: '1' } })));
    await node.push('insert', 'default/configmap/gone', object('ConfigMap', 'gone', 5));
    await until(async () => (await node.items(MAPS)).map(({ metadata }) => metadata.name).join() === 'x,y', 'what the cloud lists and nothing else');
    expect(await (await node.get(`${MAPS}/x`)).json()).toMatchObject({ data: { n: '1' } });
  }
  await using alone = await startNode('read.db');
  const answer = await alone.get(`${MAPS}/x`);
  expect(answer.headers.get('warning')).toContain('not connected');
  expect(await answer.json()).toMatchObject({ data: { n: '1' } });
  expect((await alone.items(MAPS)).map(({ metadata }) => metadata.name)).toEqual(['x', 'y']);
});

it('[local-api-1.3] a change that waits for the cloud is made after the agent was started again', async () => {
  const waiting = async (node: Node): Promise<string[]> =>
    ((await (await node.get('/apis/edge.kubeedge.io/v1/waiting')).json()) as { items: { metadata: { name: string }; status: { phase: string } }[] }).items.map(({ metadata, status }) => `${metadata.name} ${status.phase}`);
  const post = (node: Node, name: string): Promise<Response> =>
    node.get(MAPS, { method: 'POST', headers: { 'Edge-Wait-For-Cloud': 'true', 'Content-Type': 'application/json' }, body: JSON.stringify({ metadata: { name } }) });
  {
    await using alone = await startNode('waiting.db');
    for (const name of ['one', 'two']) expect((await post(alone, name)).status).toBe(201);
    expect((await alone.get('/apis/edge.kubeedge.io/v1/waiting/1', { method: 'DELETE' })).status).toBe(200);
  }
  await using again = await startNode('waiting.db', () => object('ConfigMap', 'two', 9));
  await until(async () => (await waiting(again)).join() === '2 Done', 'the change to be made');
});
