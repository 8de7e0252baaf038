import type { KubeObject } from '@edge/protocol';
import { expect, it } from 'vitest';
import { Scene } from './scene.js';

const mesh = { metaServer: { enable: false }, edge: { edgeMesh: { enable: true } } };
const SLICES = '/discovery.k8s.io/v1/endpointslices/null/null';
const slice = (name: string, ports: readonly object[], address = '10.0.0.1'): object => ({
  metadata: { name, labels: { 'kubernetes.io/service-name': 'web' } }, addressType: 'IPv4', endpoints: [{ addresses: [address] }], ports,
});
const stored = (scene: Scene, name: string): KubeObject | undefined => [...scene.meta.objects.values()].find(({ metadata }) => metadata.name === name);
const until = (check: () => unknown): Promise<void> => expect.poll(check, { timeout: 30_000 }).toBeTruthy();

it('[metaserver-36.1] for the mesh services and slices are followed, with no door open and nobody watching, through connects and restarts of the cloud', async () => {
  await using scene = await Scene.open(mesh);
  expect(scene.running.lines.some(({ message }) => message === 'the local API listens')).toBe(false);
  await scene.inCloud('v1', 'services', { metadata: { name: 'web' }, spec: { ports: [{ port: 80 }] } } as never);
  scene.connect();
  await until(() => stored(scene, 'web'));
  await until(() => scene.cloud.requests('list').includes(SLICES));
  expect(scene.cloud.requests('watch').sort()).toEqual(['/core/v1/services/null/null', SLICES]);
  await scene.inCloud('discovery.k8s.io/v1', 'endpointslices', slice('web-1', [{ port: 80 }]) as never);
  await until(() => stored(scene, 'web-1'));
  scene.disconnect();
  scene.cloud.forget();
  await scene.inCloud('v1', 'services', { metadata: { name: 'shop' }, spec: { ports: [{ port: 80 }] } } as never);
  scene.connect();
  await until(() => stored(scene, 'shop'));
  expect(scene.cloud.syncs.at(-1)?.sort()).toEqual(['/core/v1/services/null/null', SLICES]);
});

it('[metaserver-36.2] a cloud without slices is asked for Endpoints', async () => {
  await using scene = await Scene.open(mesh);
  scene.cloud.refuse = ({ Key }) => (Key.includes('endpointslices') ? 'the server could not find the requested resource' : undefined);
  scene.connect();
  await until(() => scene.cloud.requests('list').includes('/core/v1/endpoints/null/null'));
});

it("[metaserver-36.3] a slice that the cloud's list falsified is read by itself", async () => {
  await using scene = await Scene.open(mesh);
  const { metadata } = await scene.inCloud('discovery.k8s.io/v1', 'endpointslices', slice('safe-1', [{ name: 'https', port: 8443 }]) as never);
  scene.cloud.script = (application) => {
    if (application.Verb !== 'list' || application.Key !== SLICES) return undefined;
    const item = { ...slice('safe-1', [{ name: 'https', port: 10_550 }], '127.0.0.1'), metadata };
    const list = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSliceList', metadata: { resourceVersion: metadata.resourceVersion }, items: [item] };
    return { ...application, Status: 'Approved', RespBody: Buffer.from(JSON.stringify(list)).toString('base64') };
  };
  scene.connect();
  await until(() => scene.cloud.requests('get').includes('/discovery.k8s.io/v1/endpointslices/default/safe-1'));
  await until(() => stored(scene, 'safe-1'));
  expect(stored(scene, 'safe-1')).toMatchObject({ endpoints: [{ addresses: ['10.0.0.1'] }] });
});

it('[metaserver-36.4] without the mesh nothing of it is followed', async () => {
  await using scene = await Scene.open({ connected: true });
  expect(scene.cloud.requests('watch')).toEqual([]);
});
