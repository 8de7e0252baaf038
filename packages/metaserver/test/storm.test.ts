import { setMaxListeners } from 'node:events';
import { createMemoryStore, loops } from '@edge/testing';
import { expect, it } from 'vitest';
import { FakeCloud } from './fake-cloud.js';
import { FakeMeta } from './fake-meta.js';
import { eventually, Scene, type Json } from './scene.js';
import { Watcher, type WatcherSpec } from './watcher.js';

const CHANGES = loops(10_000, 3000);
const NAMESPACES = ['east', 'north', 'south', 'west'];
const TIERS = ['near', 'far'];

/** 50 clients: of all namespaces, of one, by label, by field, of one object. */
const SPECS: readonly WatcherSpec[] = Array.from({ length: 50 }, (_, at): WatcherSpec => {
  const namespace = `/api/v1/namespaces/${NAMESPACES[at % 4]}/configmaps`;
  if (at < 6) return { path: '/api/v1/configmaps' };
  if (at < 12) return { path: '/api/v1/configmaps', query: `labelSelector=tier%3D${TIERS[at % 2]}` };
  if (at < 20) return { path: namespace, query: `labelSelector=tier%20in%20(${TIERS[at % 2]})` };
  if (at < 26) return { path: namespace, query: `fieldSelector=metadata.name%3Dm${at}` };
  return { path: namespace };
});

function selects({ path, query = '' }: WatcherSpec, { namespace, name, labels }: { namespace?: string; name: string; labels?: Readonly<Record<string, string>> }): boolean {
  if (path !== '/api/v1/configmaps' && !path.includes(`/${namespace}/`)) return false;
  const tier = /tier.*(near|far)/.exec(query)?.[1];
  const named = /metadata\.name%3D(\w+)/.exec(query)?.[1];
  return (tier === undefined || labels?.['tier'] === tier) && (named === undefined || name === named);
}

it('[metaserver-12.2] after thousands of random changes by six writers, 50 watchers that break off at random, cuts of the link, losses in the cloud and restarts of the agent, each view is what the store has: nothing missing, nothing twice, in order', { timeout: 240_000 }, async () => {
  let seed = Number(process.env['EDGE_WATCH_SEED'] ?? 7);
  const random = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((seed / 2_147_483_648) * below);
  };
  const meta = new FakeMeta();
  await using cloud = await FakeCloud.start(meta);
  await Promise.all(NAMESPACES.map((name) => cloud.api.resource('v1', 'namespaces').create({ metadata: { name } })));
  const store = createMemoryStore();
  let scene = await Scene.open({ connected: true, meta, cloud, store });
  const maps = cloud.api.resource('v1', 'configmaps');
  const watchers = SPECS.map((spec) => new Watcher(spec, () => scene));
  const end = new AbortController();
  setMaxListeners(0, end.signal);
  const running = Promise.all(watchers.map((watcher) => watcher.run(end.signal)));
  let made = 0;
  let byNode = 0;
  /** Writers go on to here, so that each trouble has its share of changes. */
  let allowed = 500;
  // Slow enough for the watchers to see most of it.
  const turn = async (): Promise<void> => {
    do await new Promise((resolve) => setTimeout(resolve, 1 + random(8)));
    while (made >= allowed && made < CHANGES);
  };

  const draft = (n: number): { namespace: string; name: string; n: string; tier: string } =>
    ({ namespace: NAMESPACES[random(4)] as string, name: `m${random(40)}`, n: String(n), tier: TIERS[random(2)] as string });
  const writeInCloud = async (): Promise<void> => {
    while (made < CHANGES) {
      const { namespace, name, n, tier } = draft(made);
      const there = maps.find(name, namespace);
      made += 1;
      // Writers cross each other: what is refused was no change.
      const refused = (): void => { made -= 1; };
      if (there === undefined) await maps.create({ metadata: { name, namespace, labels: { tier } }, data: { n } }).catch(refused);
      else if (random(5) === 0) await maps.delete(name, namespace).catch(refused);
      else await maps.modify(name, namespace, (copy) => { copy['data'] = { n }; copy.metadata.labels = { tier }; }).catch(refused);
      await turn();
    }
  };
  const writeHere = async (): Promise<void> => {
    while (made < CHANGES) {
      const { namespace, name, n, tier } = draft(made);
      const path = `/api/v1/namespaces/${namespace}/configmaps`;
      const { code, json } = await scene.call('GET', `${path}/${name}`).catch(() => ({ code: 0, json: undefined as Json }));
      const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...(code === 200 ? json.metadata : { name }), labels: { tier } }, data: { n: `${n} from the node` } };
      const change = [
        () => scene.call('DELETE', `${path}/${name}`),
        () => scene.call('PUT', `${path}/${name}`, body),
        () => scene.call('PATCH', `${path}/${name}`, { metadata: { labels: { tier } }, data: body.data }, { 'Content-Type': 'application/merge-patch+json' }),
      ][random(3)] as () => ReturnType<Scene['call']>;
      const answer = await (code === 200 ? change() : scene.call('POST', path, body)).catch(() => undefined);
      if (answer !== undefined && answer.code < 300) {
        made += 1;
        byNode += 1;
      }
      await turn();
    }
  };
  const restart = async (connected: boolean): Promise<void> => {
    await scene.running.stop();
    scene = await Scene.open({ connected, meta, cloud, store });
  };
  /** What goes wrong, each at its time. */
  const trouble = async (): Promise<void> => {
    const at = (change: number): Promise<void> => eventually(() => made >= Math.min(change, CHANGES), 120_000);
    for (let round = 1; round * 500 < CHANGES; round += 1) {
      await at(round * 500);
      for (let times = 0; times < 10; times += 1) watchers[random(50)]?.drop();
      if (round % 3 === 0) cloud.forget();
      if (round % 4 === 1) meta.lose = 3;
      if (round % 4 === 3) await restart(random(2) === 0);
      else scene.disconnect();
      allowed = round * 500 + 60;
      await at(allowed);
      if (round % 5 === 2) meta.begin();
      scene.connect();
      allowed = round * 500 + 500;
    }
    allowed = CHANGES;
  };

  try {
    await eventually(() => watchers.every(({ lists }) => lists > 0), 60_000);
    await Promise.all([writeInCloud(), writeInCloud(), writeInCloud(), writeInCloud(), writeInCloud(), writeHere(), trouble()]);
    if (!cloud.isConnected) scene.connect();
    const items = (await maps.list({})).items;
    const wrong = (): string[] => watchers.flatMap(({ spec, objects }) => {
      const truth = new Map(items.filter(({ metadata }) => selects(spec, metadata)).map(({ metadata, data }) => [`${metadata.namespace}/${metadata.name}`, (data as { n: string }).n]));
      const differs = truth.size !== objects.size || [...truth].some(([key, n]) => objects.get(key) !== n);
      return differs ? [`${spec.path}?${spec.query ?? ''}: ${JSON.stringify([...objects].filter(([key, n]) => truth.get(key) !== n))} instead of ${JSON.stringify([...truth].filter(([key, n]) => objects.get(key) !== n))}`] : [];
    });
    await eventually(() => wrong().length === 0, 60_000).catch(() => undefined);
    expect(wrong()).toEqual([]);
    expect(watchers.flatMap(({ problems }) => problems)).toEqual([]);
    const sum = (of: (watcher: Watcher) => number): number => watchers.reduce((total, watcher) => total + of(watcher), 0);
    // Watchers did come back without a list.
    expect(sum(({ resumes }) => resumes)).toBeGreaterThan(0);
    if (process.env['EDGE_WATCH_SEED'] !== undefined) process.stdout.write(`${JSON.stringify({ made, byNode, events: sum(({ events }) => events), lists: sum(({ lists }) => lists), resumes: sum(({ resumes }) => resumes) })}\n`);
  } finally {
    end.abort();
    await running;
    await scene.running.stop();
  }
});
