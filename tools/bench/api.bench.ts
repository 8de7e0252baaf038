import 'reflect-metadata';
import type { DraftObject } from '@edge/kubeapi';
import type { KubeObject } from '@edge/protocol';
import { FakeCloud } from '../../packages/metaserver/test/fake-cloud.js';
import { FakeMeta } from '../../packages/metaserver/test/fake-meta.js';
import { Scene } from '../../packages/metaserver/test/scene.js';
import { podOf } from './api-objects.js';
import { startHelper } from './ask.js';
import { figure } from './figure.js';

// The real module over HTTP on the loopback. metamanager and the cloud are played; clients are a process of their own.
const quick = process.argv.includes('--quick');
const CONNECTIONS = 4;
const READS = [
  { name: 'GET one pod', pods: 5, path: '/api/v1/namespaces/list-5/pods/app-1', requests: 30_000 },
  { name: 'LIST 5 pods', pods: 5, path: '/api/v1/namespaces/list-5/pods', requests: 15_000 },
  { name: 'LIST 500 pods', pods: 500, path: '/api/v1/namespaces/list-500/pods', requests: 400 },
  { name: 'LIST 5,000 pods', pods: 5000, path: '/api/v1/namespaces/list-5000/pods', requests: 40 },
  { name: 'LIST 5 of 500 pods by label', pods: 500, path: '/api/v1/namespaces/list-500/pods?labelSelector=app.kubernetes.io%2Finstance+in+(app-1,app-2,app-3,app-4,app-5)', requests: 2_000 },
] as const;
const FAN_OUT = [{ watchers: 1, changes: 8_000 }, { watchers: 1_000, changes: 400 }] as const;
const IDLE = quick ? 500 : 2_000;
/** Changes on their way to the watchers at once. */
const UNDER_WAY = 20;

interface Measured {
  readonly perSecond: number;
  readonly latencies: readonly number[];
}

const podsOf = (count: number): KubeObject[] => Array.from({ length: count }, (_, index) => podOf(`app-${index + 1}`, `list-${count}`, count * 10 + index));
let version = 100_000;
let scene: Scene;
await using clients = startHelper('http-clients');
{
  await using alone = await Scene.open({ objects: [5, 500, 5000].flatMap(podsOf) });
  scene = alone;
  await idleWatchers();
  for (const read of READS) await measure(read, 'without the cloud');
  for (const { watchers, changes } of FAN_OUT) await fanOut(watchers, quick ? changes / 4 : changes);
}
{
  const meta = new FakeMeta();
  await using cloud = await FakeCloud.start(meta);
  for (const { metadata: { resourceVersion: _given, ...metadata }, ...pod } of [5, 500].flatMap(podsOf)) await cloud.api.resource('v1', 'pods').create({ ...pod, metadata } as DraftObject);
  await using connected = await Scene.open({ connected: true, meta, cloud });
  scene = connected;
  // What is watched is followed, and what is followed needs no round trip.
  await clients.ask({ do: 'watch', port: scene.port, path: '/api/v1/pods?watch=1', watchers: 1 });
  for (const read of READS.filter(({ pods }) => pods <= 500)) await measure(read, 'with the cloud, followed');
}

async function measure({ name, path, requests }: (typeof READS)[number], how: string): Promise<void> {
  const count = Math.ceil(requests / (quick ? 10 : 1));
  await ask(path, Math.ceil(count / 2));
  const before = processorTime();
  const { perSecond, latencies } = await ask(path, count);
  const each = (processorTime() - before) / count;
  const at = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? 0;
  const core = Math.round(1e6 / each).toLocaleString('en');
  figure(name, perSecond, 'requests/s', `${how}; ${CONNECTIONS} connections; ${Math.round(each).toLocaleString('en')} µs of processor time each, so ${core}/s on a core`);
  figure(`${name}, p99`, at(0.99), 'ms', `p50 ${at(0.5).toFixed(2)} ms`);
}

function ask(path: string, requests: number): Promise<Measured> {
  return clients.ask<Measured>({ do: 'get', port: scene.port, path, requests, connections: CONNECTIONS });
}

/** Changes come as the cloud sends them: one message each. */
async function fanOut(watchers: number, changes: number): Promise<void> {
  const place = `fan-${watchers}`;
  await clients.ask({ do: 'watch', port: scene.port, path: watchPath(place), watchers });
  await burst(place, watchers, changes / 5);
  const before = processorTime();
  const perSecond = await burst(place, watchers, changes);
  const each = (processorTime() - before) / (watchers * changes);
  figure(`events to ${watchers.toLocaleString('en')} watcher${watchers === 1 ? '' : 's'}`, perSecond, 'events/s', `${changes} changes, ${UNDER_WAY} under way; ${each.toFixed(1)} µs of processor time each`);
  await clients.ask({ do: 'close-watches' });
}

/** Resolves with events a second. What is under way is seen by all before more comes, so that no queue grows. */
async function burst(place: string, watchers: number, changes: number): Promise<number> {
  const start = performance.now();
  for (let done = 0; done < changes; done += UNDER_WAY) {
    for (let index = 0; index < UNDER_WAY; index += 1) scene.meta.put(podOf(`app-${index}`, place, (version += 1)));
    await clients.ask({ do: 'await-events', count: watchers * UNDER_WAY });
  }
  return (watchers * changes) / ((performance.now() - start) / 1000);
}

/** The rest of the process is the same before and after, so the difference is the watchers'. */
async function idleWatchers(): Promise<void> {
  const before = memory();
  await clients.ask({ do: 'watch', port: scene.port, path: watchPath('nowhere'), watchers: IDLE });
  // Buffers of the first requests are let go in the second collection.
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const { heap, resident } = memory();
  figure('memory per idle watcher', (heap - before.heap) / IDLE / 1000, 'KB', `${IDLE.toLocaleString('en')} watchers; heap and buffers after a collection; resident ${((resident - before.resident) / IDLE / 1000).toFixed(1)} KB each`);
  await clients.ask({ do: 'close-watches' });
}

function memory(): { heap: number; resident: number } {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed + external, resident: rss };
}

function watchPath(namespace: string): string {
  return `/api/v1/namespaces/${namespace}/pods?watch=1&allowWatchBookmarks=true`;
}

function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
