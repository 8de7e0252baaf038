import { beforeEach, describe, expect, it } from 'vitest';
import { builtinResources } from '../builtin/resources.js';
import { KubeApi } from '../engine/kube-api.js';
import { isApiError, type StatusReason } from '../errors.js';
import { ResourceRegistry } from '../resource/registry.js';
import { MemoryObjectStore } from '../store/memory-store.js';
import type { DraftObject } from '../types/object.js';

const failsWith = (reason: StatusReason): Error => expect.toSatisfy((error) => isApiError(error, reason)) as Error;
const schema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object', required: ['size'],
      properties: {
        size: { type: 'integer', minimum: 1 }, color: { type: 'string', enum: ['red', 'blue'], default: 'red' },
        port: { 'x-kubernetes-int-or-string': true }, free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        tags: { type: 'object', additionalProperties: { type: 'string' } }, list: { type: 'array', items: { type: 'object', properties: { n: { type: 'number' } } } },
      },
    },
    status: { type: 'object', properties: { ready: { type: 'boolean' } } },
  },
};
const definition = (): DraftObject => ({
  metadata: { name: 'widgets.example.com' },
  spec: {
    group: 'example.com', scope: 'Namespaced', names: { plural: 'widgets', kind: 'Widget', shortNames: ['wd'] },
    versions: [
      { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema }, subresources: { status: {} }, additionalPrinterColumns: [{ name: 'Size', type: 'integer', jsonPath: '.spec.size' }] },
      { name: 'v1beta1', served: true, storage: false, deprecated: true },
    ],
  },
});

let api: KubeApi;
let store: MemoryObjectStore;
beforeEach(async () => {
  store = await MemoryObjectStore.open();
  api = new KubeApi({ registry: new ResourceRegistry(builtinResources()), store });
  await api.resource('apiextensions.k8s.io/v1', 'customresourcedefinitions').create(definition());
});
const widget = (spec: object): DraftObject => ({ metadata: { name: 'w', namespace: 'd' }, spec } as DraftObject);

describe('custom resources', () => {
  it('[kubeapi-6.1] serves all versions of a definition as soon as it is stored, with one set of objects', async () => {
    expect(await api.resource('apiextensions.k8s.io/v1', 'customresourcedefinitions').get('widgets.example.com')).toMatchObject({
      spec: { names: { singular: 'widget', listKind: 'WidgetList' } },
      status: { conditions: [{ type: 'NamesAccepted', status: 'True' }, { type: 'Established', status: 'True' }], acceptedNames: { kind: 'Widget' } },
    });
    await api.resource('example.com/v1', 'widgets').create(widget({ size: 1 }));
    expect((await api.resource('example.com/v1beta1', 'widgets').list()).items).toMatchObject([{ apiVersion: 'example.com/v1beta1', kind: 'Widget', spec: { size: 1, color: 'red' } }]);
  });

  it('[kubeapi-6.2] prunes unknown fields, refuses them when asked to be strict, warns when not', async () => {
    const warnings: string[] = [];
    const widgets = api.resource('example.com/v1', 'widgets');
    const draft = widget({ size: 1, odd: 1, free: { any: { thing: 1 } }, list: [{ n: 1, m: 2 }], tags: { a: 'b' } });
    await expect(widgets.create(draft, { fieldValidation: 'Strict' })).rejects.toThrowError(failsWith('BadRequest'));
    const created = await widgets.as({ warn: (text) => warnings.push(text) }).create(draft);
    expect(created.spec).toEqual({ size: 1, color: 'red', free: { any: { thing: 1 } }, list: [{ n: 1 }], tags: { a: 'b' } });
    expect(warnings).toEqual(['unknown field "spec.odd"', 'unknown field "spec.list[0].m"']);
  });

  it.each([[{}, 'spec.size'], [{ size: 'x' }, 'spec.size'], [{ size: 0 }, 'spec.size'], [{ size: 1, color: 'pink' }, 'spec.color'], [{ size: 1, port: {} }, 'spec.port'], [{ size: 1, tags: { a: 1 } }, 'spec.tags.a'], ['x', 'spec']])(
    '[kubeapi-6.3] refuses %j and names %s', async (spec, field) => {
      await expect(api.resource('example.com/v1', 'widgets').create(widget(spec as object))).rejects.toMatchObject({ reason: 'Invalid', details: { causes: [{ field }] } });
    });

  it('[kubeapi-6.9] takes a null for a missing field where the schema allows none, as Go programs write it', async () => {
    const created = await api.resource('example.com/v1', 'widgets').create(widget({ size: 1, color: null, free: null, list: null, tags: { a: null, b: 'c' } }));
    expect(created.spec).toEqual({ size: 1, color: 'red', tags: { b: 'c' } });
    await expect(api.resource('example.com/v1', 'widgets').create({ ...widget({ size: null }), metadata: { name: 'other', namespace: 'd' } })).rejects.toThrowError(failsWith('Invalid'));
  });

  it('[kubeapi-6.4] has no strategic patch, bumps generation without spec rules, keeps metadata in status writes', async () => {
    const widgets = api.resource('example.com/v1', 'widgets');
    await widgets.create(widget({ size: 1 }));
    await expect(widgets.patch('w', 'd', { type: 'strategic', body: {} })).rejects.toThrowError(failsWith('UnsupportedMediaType'));
    expect((await widgets.patch('w', 'd', { type: 'merge', body: { spec: { size: 2 } } })).metadata.generation).toBe(2);
    const after = await widgets.patch('w', 'd', { type: 'merge', body: { metadata: { labels: { a: 'b' } }, spec: { size: 3 }, status: { ready: true } } }, { subresource: 'status' });
    expect(after).toMatchObject({ spec: { size: 2 }, status: { ready: true }, metadata: { generation: 2 } });
    expect(after.metadata.labels).toBeUndefined();
  });

  it('[kubeapi-6.5] takes objects and type away with the definition, and serves them again after a restart', async () => {
    await api.resource('example.com/v1', 'widgets').create(widget({ size: 1 }));
    const again = new KubeApi({ registry: new ResourceRegistry(builtinResources()), store });
    expect((await again.resource('example.com/v1', 'widgets').list()).items).toHaveLength(1);
    await api.resource('apiextensions.k8s.io/v1', 'customresourcedefinitions').delete('widgets.example.com');
    expect(() => api.resource('example.com/v1', 'widgets')).toThrowError(failsWith('NotFound'));
    await api.resource('apiextensions.k8s.io/v1', 'customresourcedefinitions').create(definition());
    expect((await api.resource('example.com/v1', 'widgets').list()).items).toEqual([]);
  });

  it('[kubeapi-6.6] follows a change of the definition: a version that is no longer served goes', async () => {
    await api.resource('apiextensions.k8s.io/v1', 'customresourcedefinitions').modify('widgets.example.com', undefined, (crd) => {
      ((crd.spec as { versions: { served: boolean }[] }).versions[1] as { served: boolean }).served = false;
    });
    expect(() => api.resource('example.com/v1beta1', 'widgets')).toThrowError(failsWith('NotFound'));
    expect(() => api.resource('example.com/v1', 'widgets')).not.toThrow();
  });

  it.each([
    ['a wrong name', { metadata: { name: 'x.example.com' } }], ['no versions', { spec: { group: 'example.com', scope: 'Cluster', names: { plural: 'widgets', kind: 'W' }, versions: [] } }],
    ['no spec', { spec: undefined }], ['a versions entry that is text', { spec: { group: 'example.com', scope: 'Cluster', names: { plural: 'widgets', kind: 'W' }, versions: ['v1'] } }],
  ])('[kubeapi-6.7] refuses a definition with %s', async (_what, change) => {
    const draft = { ...definition(), metadata: { name: 'widgets.example.com' }, ...change } as DraftObject;
    await expect(api.resource('apiextensions.k8s.io/v1', 'customresourcedefinitions').create(draft)).rejects.toThrowError(failsWith('Invalid'));
  });
});
