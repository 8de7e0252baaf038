import { expect, it } from 'vitest';
import { eventually, Scene, type Event } from './scene.js';

const MAPS = '/api/v1/namespaces/default/configmaps';

interface View {
  readonly objects: Map<string, string>;
  version: string;
  readonly problems: string[];
}

/** As an informer: lists, watches, comes back at the last version, lists again after 410. */
function follow(view: View, events: readonly Event[]): boolean {
  for (const { type, object } of events) {
    if (type === 'ERROR') return false;
    if (type === 'BOOKMARK') {
      view.version = object.metadata.resourceVersion;
      continue;
    }
    const { name, resourceVersion } = object.metadata;
    if (Number(resourceVersion) <= Number(view.version)) view.problems.push(`${type} ${name} at ${resourceVersion} after ${view.version}`);
    if (type === 'ADDED' && view.objects.has(name)) view.problems.push(`ADDED ${name}, which was there`);
    if (type !== 'ADDED' && !view.objects.has(name)) view.problems.push(`${type} ${name}, which was not there`);
    if (type === 'MODIFIED' && view.objects.get(name) === object.data.n) view.problems.push(`MODIFIED ${name} without a change`);
    if (type === 'DELETED') view.objects.delete(name);
    else view.objects.set(name, object.data.n);
    view.version = resourceVersion;
  }
  return true;
}

// Each of these showed another way in which an end, an answer and a change can cross.
it.each([11, 42, 77, 555])('[metaserver-12.1] after random changes (seed %i), cuts of the link, losses in the cloud and restarts, every watcher has seen each change in order and has what the cloud has', { timeout: 120_000 }, async (first) => {
  let seed = first;
  const random = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((seed / 2_147_483_648) * below);
  };
  let scene = await Scene.open({ connected: true });
  const views: View[] = Array.from({ length: 12 }, () => ({ objects: new Map(), version: '', problems: [] }));
  const watches = new Map<View, Awaited<ReturnType<Scene['watch']>>>();
  const maps = scene.cloud.api.resource('v1', 'configmaps');
  const open = async (view: View): Promise<void> => {
    if (view.version === '') {
      const list = (await scene.call('GET', MAPS)).json;
      view.objects.clear();
      for (const { metadata, data } of list.items) view.objects.set(metadata.name, data.n);
      view.version = list.metadata.resourceVersion;
    }
    watches.set(view, await scene.watch(`${MAPS}?watch=true&resourceVersion=${view.version}&allowWatchBookmarks=true`));
  };
  const drain = (view: View): void => {
    const watch = watches.get(view);
    if (watch && !follow(view, watch.events.splice(0))) view.version = '';
  };
  const shut = async (view: View): Promise<void> => {
    const watch = watches.get(view);
    if (watch === undefined) return;
    watch.close();
    await watch.closed;
    drain(view);
    watches.delete(view);
  };
  try {
    for (const view of views) await open(view);
    for (let step = 0; step < 800; step += 1) {
      const name = `m${random(40)}`;
      const n = String(step);
      if (maps.find(name, 'default') === undefined) await maps.create({ metadata: { name, namespace: 'default' }, data: { n } });
      else if (random(4) === 0) await maps.delete(name, 'default');
      else await maps.modify(name, 'default', (copy) => { copy['data'] = { n }; });
      const view = views[random(views.length)] as View;
      if (random(10) === 0) {
        await shut(view);
        await open(view);
      }
      await new Promise((resolve) => setImmediate(resolve));
      if (step % 100 === 40) scene.disconnect();
      if (step % 300 === 50) scene.cloud.forget();
      if (step % 100 === 60) scene.connect();
      if (step % 300 === 299) {
        for (const each of views) await shut(each);
        await scene.running.stop();
        scene = await Scene.open({ connected: true, store: scene.store, meta: scene.meta, cloud: scene.cloud });
        for (const each of views) await open(each);
      }
    }
    for (const view of views) {
      drain(view);
      if (view.version !== '') continue;
      await shut(view);
      await open(view);
    }
    const truth = new Map((await maps.list({ namespace: 'default' })).items.map(({ metadata, data }) => [metadata.name, (data as { n: string }).n]));
    await eventually(() => {
      for (const view of views) drain(view);
      return views.every(({ objects }) => objects.size === truth.size && [...truth].every(([name, n]) => objects.get(name) === n));
    }, 30_000);
    expect(views.flatMap(({ problems }) => problems)).toEqual([]);
  } finally {
    for (const view of views) await shut(view);
    await scene.running.stop();
    await scene.cloud[Symbol.asyncDispose]();
  }
});
