import { createErrorResponse, createMessage, type Message } from '@edge/protocol';
import { collectingLogger, createTestBus } from '@edge/testing';
import { describe, expect, it } from 'vitest';
import { device, model } from '../../test/dmi/objects.js';
import type { DeviceObjectChange } from './device-objects.js';
import { StoredDeviceObjects } from './stored-device-objects.js';

const never = new AbortController().signal;

class Scene {
  readonly bus = createTestBus();
  readonly log = collectingLogger();
  readonly objects = new StoredDeviceObjects({ bus: this.bus.bus, log: this.log });
  readonly changes: DeviceObjectChange[] = [];

  constructor(rows: Readonly<Record<string, unknown>> = {}, answer: (message: Message, items: unknown) => unknown = (_, items) => ({ items })) {
    this.objects.follow((change) => this.changes.push(change));
    this.bus.play('metamanager', 'meta', (message) => {
      const type = message.route.resource.split('/')[1] ?? '';
      return answer(message, Object.entries(rows).filter(([key]) => key.includes(`/${type}/`)).map(([key, value]) => ({ key, value })));
    });
  }

  push(operation: string, resource: string, content: unknown): void {
    this.objects.handle(createMessage({ source: 'meta', group: 'twin', operation, resource, content }));
  }

  brief(): string[] {
    return this.changes.map(({ kind, change, id }) => `${change} ${kind} ${id}`);
  }
}

const rows = { 'default/device/thermo-1': device(), 'default/devicemodel/thermo-model': model() };

describe('the device objects of the node', () => {
  it('[objects-1.1] are those that metamanager has, models first', async () => {
    const scene = new Scene(rows);
    let loaded = false;
    const waiting = scene.objects.untilLoaded(never).then(() => (loaded = true));
    expect(loaded).toBe(false);
    await scene.objects.load(never);
    await waiting;
    expect(scene.brief()).toEqual(['set model default/thermo-model', 'set device default/thermo-1']);
    expect(scene.objects.devices.get('default/thermo-1')?.spec.nodeName).toBe('edge-node');
  });

  it('[objects-1.2] are asked for until metamanager answers', async () => {
    let asked = 0;
    const scene = new Scene(rows, (message, items) => {
      asked += 1;
      return asked === 1 ? createErrorResponse(message, 'not yet') : asked === 2 ? 'nonsense' : { items };
    });
    await scene.objects.load(never);
    expect(scene.brief()).toHaveLength(2);
    expect(asked).toBe(4);
  });

  it('[objects-1.3] a load that is given up ends at once', async () => {
    const scene = new Scene(rows, () => undefined);
    const stop = new AbortController();
    const loading = scene.objects.load(stop.signal);
    stop.abort();
    await expect(loading).rejects.toMatchObject({ code: 'core.aborted' });
  });

  it('[objects-1.4] follow what is pushed: new, changed, removed; what is equal is no change', () => {
    const scene = new Scene();
    scene.push('insert', 'default/device/thermo-1', device());
    scene.push('update', 'default/device/thermo-1', JSON.parse(JSON.stringify(device())));
    scene.push('update', 'default/device/thermo-1', device('thermo-1', '30'));
    scene.push('delete', 'default/device/thermo-1', { metadata: { name: 'thermo-1', namespace: 'default', uid: 'u' } });
    scene.push('delete', 'default/device/thermo-1', null);
    expect(scene.brief()).toEqual(['set device default/thermo-1', 'set device default/thermo-1', 'removed device default/thermo-1']);
    expect(scene.changes[1]).toMatchObject({ previous: { spec: { properties: [{ desired: { value: '25' } }] } }, object: { spec: { properties: [{ desired: { value: '30' } }] } } });
  });

  it('[objects-1.5] a straggler of the same object is passed over, a new object of that name is not', () => {
    const scene = new Scene();
    const at = (resourceVersion: string, desired: string, uid = 'u'): unknown => ({ ...device('thermo-1', desired), metadata: { name: 'thermo-1', namespace: 'default', uid, resourceVersion } });
    scene.push('insert', 'default/device/thermo-1', at('10', '1'));
    scene.push('update', 'default/device/thermo-1', at('9', '2'));
    scene.push('update', 'default/device/thermo-1', at('3', '4', 'another'));
    expect(scene.brief()).toHaveLength(2);
    expect(scene.objects.devices.get('default/thermo-1')?.metadata.uid).toBe('another');
  });

  it.each<[string, unknown, string]>([
    ['no object', 'text', 'the object is "text", it must be an object'],
    ['no spec', { metadata: {} }, 'spec is missing, it must be an object'],
    ['no metadata', { spec: {} }, 'metadata is missing, it must be an object'],
    ['properties that are no list', { metadata: {}, spec: { properties: {} } }, 'spec.properties is {}, it must be a list'],
    ['a property without name', { metadata: {}, spec: { properties: [{}] } }, 'spec.properties[0].name is missing, it must be text'],
    ['a cycle that is no number', { metadata: {}, spec: { properties: [{ name: 'p', collectCycle: '1s' }] } }, 'spec.properties[0].collectCycle is "1s", it must be a whole number'],
    ['a desired value that is no text', { metadata: {}, spec: { properties: [{ name: 'p', desired: { value: 5 } }] } }, 'spec.properties[0].desired.value is 5, it must be text'],
    ['a visitor that is no object', { metadata: {}, spec: { properties: [{ name: 'p', visitors: 5 }] } }, 'spec.properties[0].visitors is 5, it must be an object'],
    ['configData that is a list', { metadata: {}, spec: { protocol: { configData: [] } } }, 'spec.protocol.configData is [], it must be an object'],
    ['a method whose names are numbers', { metadata: {}, spec: { methods: [{ propertyNames: [1] }] } }, 'spec.methods[0].propertyNames is [1], it must be a list of texts'],
  ])('[objects-1.6] a device with %s is set aside with a reason, and what stood stays', (_, object, reason) => {
    const scene = new Scene();
    scene.push('insert', 'default/device/thermo-1', device());
    scene.push('update', 'default/device/thermo-1', object);
    scene.push('insert', 'default/device/next', device('next'));
    expect(scene.brief()).toEqual(['set device default/thermo-1', 'set device default/next']);
    expect(scene.log.lines).toMatchObject([{ level: 'error', fields: { resource: 'default/device/thermo-1', reason } }]);
  });

  it('[objects-1.7] `null` where Go has nothing is nothing', () => {
    const scene = new Scene();
    scene.push('insert', 'default/device/d', { metadata: { name: 'd', namespace: 'default' }, spec: { properties: null, methods: null, protocol: { configData: null } } });
    expect(scene.brief()).toEqual(['set device default/d']);
  });

  it('[objects-1.8] broken rows, and those that upstream stored under a key of no object, are set aside; nothing else stops', async () => {
    const scene = new Scene({ ...rows, 'default/device/updated': device('thermo-1', '99'), 'default/device/broken': 5, 'x/device/': device() });
    await scene.objects.load(never);
    expect(scene.brief()).toEqual(['set model default/thermo-model', 'set device default/thermo-1']);
    expect(scene.objects.devices.get('default/thermo-1')?.spec.properties?.[0]?.desired?.value).toBe('25');
    expect(scene.log.lines.map(({ fields }) => fields['key'])).toEqual(['default/device/updated', 'default/device/broken', 'x/device/']);
  });

  it('[objects-1.9] what is pushed while they are read counts more than what is read; a second load removes what has gone', async () => {
    const scene: Scene = new Scene({ ...rows, 'default/device/gone': device('gone') }, (message, items) => {
      if (message.route.resource.endsWith('/device')) {
        scene.push('update', 'default/device/thermo-1', device('thermo-1', '31'));
        scene.push('delete', 'default/device/gone', null);
        scene.push('insert', 'default/device/new', device('new'));
      }
      return { items };
    });
    await scene.objects.load(never);
    expect([...scene.objects.devices.keys()].sort()).toEqual(['default/new', 'default/thermo-1']);
    expect(scene.objects.devices.get('default/thermo-1')?.spec.properties?.[0]?.desired?.value).toBe('31');
    const again = new Scene({});
    again.push('insert', 'default/device/ghost', device('ghost'));
    await again.objects.load(never);
    expect(again.brief()).toEqual(['set device default/ghost', 'removed device default/ghost']);
  });

  it('[objects-1.10] a message of another kind changes nothing and is said', () => {
    const scene = new Scene();
    scene.push('insert', 'default/pod/p', {});
    scene.push('insert', 'default/device', {});
    expect(scene.changes).toEqual([]);
    expect(scene.log.lines.map(({ level }) => level)).toEqual(['warn', 'warn']);
  });
});
