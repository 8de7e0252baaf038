import { expect, it } from 'vitest';
import { object, Scene } from './scene.js';
import { FakeMeta } from './fake-meta.js';

const WIDGETS = '/apis/example.com/v1/namespaces/default/widgets';
const TABLE = { Accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
const schema = { type: 'object', properties: { spec: { type: 'object', description: 'What is wanted.', properties: { size: { type: 'integer' } } } } };
const definition = (version: number, columns: object[]): ReturnType<typeof object> => object('CustomResourceDefinition', 'widgets.example.com', version, {
  apiVersion: 'apiextensions.k8s.io/v1', metadata: { namespace: undefined },
  spec: {
    group: 'example.com', scope: 'Namespaced', names: { plural: 'widgets', kind: 'Widget' },
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema }, additionalPrinterColumns: columns, selectableFields: [{ jsonPath: '.spec.color' }] }],
  },
});
const widget = (name: string, version: number, spec: object): ReturnType<typeof object> => object('Widget', name, version, {
  apiVersion: 'example.com/v1', spec, status: { conditions: [{ type: 'Ready', status: 'True' }] },
});
const discovery = JSON.stringify({
  kind: 'APIResourceList', groupVersion: 'example.com/v1',
  resources: [{ name: 'widgets', kind: 'Widget', namespaced: true, verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'] }],
});

async function soon(check: () => Promise<boolean>): Promise<void> {
  for (let look = 0; look < 2_000; look += 1) if (await check()) return;
  throw new Error('it did not come true');
}

it('[metaserver-8.3] definitions that the node has give columns, schema and selectable fields, and take them back', async () => {
  const meta = new FakeMeta();
  meta.documents.set('/apis/example.com/v1', discovery);
  await using scene = await Scene.open({ meta, objects: [widget('w', 1, { size: 3, color: 'red' }), widget('x', 2, { color: 'blue' })] });
  const table = async (path = WIDGETS): Promise<{ names: string[]; cells: unknown[][] }> => {
    const { json } = await scene.call('GET', path, undefined, TABLE);
    return { names: json.columnDefinitions.map(({ name }: { name: string }) => name), cells: json.rows.map(({ cells }: { cells: unknown[] }) => cells) };
  };
  expect((await table()).names).toEqual(['Name', 'Age']);
  expect((await scene.call('GET', `${WIDGETS}?fieldSelector=spec.color%3Dred`)).code).toBe(400);

  meta.put(definition(5, [{ name: 'Size', type: 'integer', jsonPath: '.spec.size' }, { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' }]));
  const theDefinition = (): ReturnType<typeof scene.call> => scene.call('GET', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.com');
  const shown = (length: number): Promise<void> => soon(async () => (await theDefinition()).json.spec?.versions[0].additionalPrinterColumns.length === length);
  await shown(2);
  expect(await table()).toEqual({ names: ['Name', 'Size', 'Ready'], cells: [['w', 3, 'True'], ['x', null, 'True']] });
  expect((await table(`${WIDGETS}/w`)).cells).toEqual([['w', 3, 'True']]);
  expect((await scene.call('GET', `${WIDGETS}?fieldSelector=spec.color%3Dred`)).json.items).toMatchObject([{ metadata: { name: 'w' } }]);
  const openapi = (await scene.call('GET', '/openapi/v3/apis/example.com/v1')).json;
  expect(openapi.components.schemas['com.example.v1.Widget']).toMatchObject({ properties: { spec: schema.properties.spec, metadata: { type: 'object' } }, 'x-kubernetes-group-version-kind': [{ group: 'example.com', version: 'v1', kind: 'Widget' }] });

  meta.put(definition(6, [{ name: 'Color', type: 'string', jsonPath: '.spec.color' }]));
  await shown(1);
  expect(await table()).toEqual({ names: ['Name', 'Color'], cells: [['w', 'red'], ['x', 'blue']] });
  // Discovery that comes anew does not take the columns away.
  scene.cloud.script = ({ Key }) => (Key === '/apis/example.com/v1' ? JSON.parse(discovery) as unknown : undefined);
  scene.connect();
  await scene.call('GET', '/apis/example.com/v1');
  scene.disconnect();
  expect((await table()).names).toEqual(['Name', 'Color']);

  meta.remove(definition(6, []));
  await soon(async () => (await theDefinition()).code === 404);
  expect(await table()).toEqual({ names: ['Name', 'Age'], cells: [['w', expect.any(String)], ['x', expect.any(String)]] });
});

it('[metaserver-8.4] a definition that makes no sense changes nothing', async () => {
  const meta = new FakeMeta();
  meta.documents.set('/apis/example.com/v1', discovery);
  const odd = { ...definition(7, []), spec: { group: 'example.com', names: { plural: 'widgets' }, versions: 'none' } };
  await using scene = await Scene.open({ meta, objects: [widget('w', 1, {}), odd] });
  expect((await scene.call('GET', WIDGETS, undefined, TABLE)).json).toMatchObject({ kind: 'Table', columnDefinitions: [{ name: 'Name' }, { name: 'Age' }], rows: [{ cells: ['w', expect.any(String)] }] });
});
