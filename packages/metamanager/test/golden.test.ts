import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@edge/core';
import { metaTable, metaV2Table, type KubeObject, type MetaRow, type MetaV2Row } from '@edge/protocol';
import { openStore, type OpenedStore } from '@edge/store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { metaV2Row } from '../src/values/meta-v2.js';
import { sortedJson } from '../src/values/sorted-json.js';
import { eventually, openScene, push } from './scene.js';

const GOLDEN = new URL('fixtures/edgecore-go-v1.23.1.db', import.meta.url).pathname;
let folder = '';
let store: OpenedStore;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'metamanager-'));
  copyFileSync(GOLDEN, join(folder, 'edgecore.db'));
  store = await openStore({ path: join(folder, 'edgecore.db'), log: silentLogger });
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

describe('a database that upstream wrote', () => {
  it('[metamanager-8.8] holds our texts byte for byte: values from messages, and rows of the local API', () => {
    const meta = store.table<MetaRow>(metaTable).all();
    const sorted = meta.filter(({ type, value }) => !value.startsWith('{"kind"') && !type.endsWith('patch'));
    expect(sorted.length).toBeGreaterThan(8);
    for (const { value } of sorted) expect(sortedJson(JSON.parse(value))).toBe(value);
    const rows = store.table<MetaV2Row>(metaV2Table).all().filter(({ name }) => name !== '');
    expect(rows.length).toBeGreaterThan(15);
    for (const row of rows) {
      const object = JSON.parse(row.value) as KubeObject;
      expect(metaV2Row(String(object.kind).toLowerCase(), object)).toEqual(row);
    }
  });

  it('[metamanager-8.9] answers a node that starts offline: all pods, the node, ConfigMaps and Secrets', async () => {
    await using scene = await openScene({ store });
    const pods = (await scene.ask({ operation: 'query', resource: 'default/pod' })).content as string[];
    expect(pods).toHaveLength(15);
    expect(pods.every((text) => (JSON.parse(text) as { spec: { nodeName: string } }).spec.nodeName === 'edge-go')).toBe(true);
    expect((await scene.ask({ operation: 'query', resource: 'null/node/edge-go' })).content).toHaveLength(1);
    expect((await scene.ask({ operation: 'query', resource: 'default/secret/sec1' })).content).toEqual([expect.stringContaining('czNjcmV0')]);
    expect((await scene.ask({ operation: 'query', resource: 'kube-node-lease/lease/edge-go' })).content).toHaveLength(1);
  });

  it('[metamanager-8.10] is brought up to date by the same state once more, and loses a ghost with its pod', async () => {
    await using scene = await openScene({ store });
    const v2 = store.table<MetaV2Row>(metaV2Table);
    const key = '/core/v1/pods/pod-network-test-6550/host-test-container-pod';
    const resource = 'pod-network-test-6550/pod/host-test-container-pod';
    const stored = JSON.parse(scene.objects.value(resource) ?? '') as KubeObject;
    const before = scene.objects.value(resource);
    expect(v2.get({ key })?.resource_version).toBeLessThan(Number(stored.metadata.resourceVersion));
    await scene.fromCloud(push('update', resource, { ...stored, kind: '', apiVersion: '' }));
    await eventually(() => scene.acknowledged().length === 1);
    expect(scene.objects.value(resource)).toBe(before);
    expect(v2.get({ key })?.resource_version).toBe(Number(stored.metadata.resourceVersion));

    const ghost = '/core/v1/pods/emptydir-6178/pod-69880d4f-e59e-4523-8598-3d156d29cc02';
    const { metadata } = JSON.parse(v2.get({ key: ghost })?.value ?? '') as KubeObject;
    const stub = { metadata: { name: metadata.name, namespace: metadata.namespace, uid: metadata.uid } };
    await scene.fromCloud(push('delete', 'emptydir-6178/pod/pod-69880d4f-e59e-4523-8598-3d156d29cc02', stub));
    await eventually(() => scene.acknowledged().length === 2);
    expect(v2.get({ key: ghost })).toBeUndefined();
  });

  it('[metamanager-8.11] keeps what was acknowledged after the agent is gone', async () => {
    {
      await using scene = await openScene({ store });
      const uid = '9052021b-0467-4232-b176-134604fef907';
      await scene.fromCloud(push('update', 'default/configmap/cm1', { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'cm1', namespace: 'default', uid, resourceVersion: '9999' }, data: { hello: 'mars' } }));
      await eventually(() => scene.acknowledged().length === 1);
    }
    await store.close();
    store = await openStore({ path: join(folder, 'edgecore.db'), log: silentLogger });
    expect(store.table<MetaRow>(metaTable).get({ key: 'default/configmap/cm1' })?.value).toContain('"hello":"mars"');
  });
});
