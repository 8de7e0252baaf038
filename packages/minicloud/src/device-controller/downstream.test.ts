import { KubeApi, type DraftObject, MemoryObjectStore } from '@edge/kubeapi';
import type { Message } from '@edge/protocol';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createRegistry } from '../api/kinds.js';
import { DEVICE_API } from '../objects.js';
import { DeviceDownstream } from './downstream.js';

const MODEL_WAIT_MS = 10_000;

let api: KubeApi;
let downstream: DeviceDownstream;
let pushed: string[];
const say = (node: string, { route, content }: Message): boolean => {
  const { added_devices: added } = content as { added_devices?: unknown[] | null };
  pushed.push(`${node}: ${route.resource === 'membership' ? (added ? 'member' : 'no member') : `${route.operation} ${route.resource}`}`);
  return true;
};
const create = (plural: string, name: string, spec: object): Promise<unknown> => api.resource(DEVICE_API, plural).create({ metadata: { name, namespace: 'd' }, spec } as DraftObject);
const patch = (name: string, spec: object): Promise<unknown> => api.resource(DEVICE_API, 'devices').patch(name, 'd', { type: 'merge', body: { spec } });
const said = (): string[] => pushed.splice(0);

beforeEach(async () => {
  vi.useFakeTimers();
  pushed = [];
  const store = await MemoryObjectStore.open();
  api = new KubeApi({ registry: createRegistry(), store });
  downstream = new DeviceDownstream({ store, hub: { push: say, hasRecord: () => true, forgetObject: () => undefined }, modelWaitMs: MODEL_WAIT_MS });
  downstream.start();
});
afterEach(() => {
  downstream.stop();
  vi.useRealTimers();
});

describe('a device without its model', () => {
  it('[minicloud-10.8] waits ten seconds, goes alone, and gets the model when it comes', async () => {
    await create('devices', 'a', { nodeName: 'n', deviceModelRef: { name: 'm' } });
    await vi.advanceTimersByTimeAsync(MODEL_WAIT_MS - 1);
    expect(said()).toEqual(['n: member']);
    await vi.advanceTimersByTimeAsync(1);
    expect(said()).toEqual(['n: insert d/device/a']);
    await create('devicemodels', 'm', {});
    expect(said()).toEqual(['n: insert d/devicemodel/m']);
  });

  it('[minicloud-10.12] leaves no trace but its membership when it goes or moves while it waits', async () => {
    await create('devices', 'a', { nodeName: 'n', deviceModelRef: { name: 'm' } });
    await patch('a', { nodeName: 'o' });
    await patch('a', { properties: [{ name: 't' }] });
    await api.resource(DEVICE_API, 'devices').delete('a', 'd');
    await vi.advanceTimersByTimeAsync(2 * MODEL_WAIT_MS);
    expect(said()).toEqual(['n: member', 'n: no member', 'o: member', 'o: no member']);
  });

  it('[minicloud-10.13] that changes its model is updated after the new one', async () => {
    await create('devicemodels', 'm', {});
    await create('devices', 'a', { nodeName: 'n', deviceModelRef: { name: 'm' } });
    said();
    await patch('a', { deviceModelRef: { name: 'late' } });
    expect(said()).toEqual([]);
    await create('devicemodels', 'late', {});
    expect(said()).toEqual(['n: insert d/devicemodel/late', 'n: update d/device/a']);
  });

  it('[minicloud-10.14] and one that refers to none goes at once', async () => {
    await create('devices', 'a', { nodeName: 'n' });
    expect(said()).toEqual(['n: member', 'n: insert d/device/a']);
  });

  it('[minicloud-10.9] the end of a model is told to the nodes that use it, so that it cannot hit its successor', async () => {
    await create('devicemodels', 'm', {});
    await create('devices', 'a', { nodeName: 'n', deviceModelRef: { name: 'm' } });
    said();
    await api.resource(DEVICE_API, 'devicemodels').delete('m', 'd');
    await create('devicemodels', 'm', {});
    expect(said()).toEqual(['n: delete d/devicemodel/m', 'n: insert d/devicemodel/m']);
  });
});
