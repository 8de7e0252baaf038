import type { DraftObject } from '@edge/kubeapi';
import type { Message } from '@edge/protocol';
import { describe, expect, it } from 'vitest';
import { joinReady, openCloud } from './cloud-fixture.js';
import { actual, answerTo, API, device, devicesOf, modelsOf, model, statusOf, twinMessage } from './device-fixture.js';

describe('reports of devices', () => {
  it('[minicloud-11.1] go into the DeviceStatus of the device and are answered once it is committed', async () => {
    await using fixture = await openCloud();
    const client = await joinReady(fixture, 'e1');
    await modelsOf(fixture).create(model('m'));
    const { metadata } = await devicesOf(fixture).create(device('a', 'e1'));
    await client.until(() => statusOf(fixture, 'a') !== undefined);
    expect(statusOf(fixture, 'a')).toMatchObject({
      kind: 'DeviceStatus', spec: {}, status: {},
      metadata: { ownerReferences: [{ apiVersion: API, kind: 'Device', name: 'a', uid: metadata.uid, controller: true, blockOwnerDeletion: true }] },
    });
    const question = twinMessage(client, 'a', { temperature: { ...actual('24'), expected: { value: '25', metadata: { timestamp: 1760000000124 } } }, foreign: actual('1'), gone: null });
    const answer = await answerTo(client, question);
    expect(answer).toMatchObject({ route: { source: 'devicecontroller', group: 'twin', operation: 'response', resource: 'twin' }, content: 'OK' });
    expect(statusOf(fixture, 'a')?.status).toEqual({
      twins: [{ propertyName: 'temperature', reported: { value: '24', metadata: { timestamp: '1760000000123', type: 'int' } }, observedDesired: { value: '25', metadata: { timestamp: '1760000000124', type: 'int' } } }],
    });
    await answerTo(client, twinMessage(client, 'a', { label: actual('x', 'string') }));
    const state = (content: object): Message => client.send({ source: 'twin', group: 'resource', operation: 'update', resource: 'device/default/a/state/update', content: JSON.stringify({ event_id: 'e', timestamp: 1, device: content }) });
    await answerTo(client, state({ name: 'a', state: 'online', lastOnlineTime: '2026-01-02T03:04:05Z' }));
    await answerTo(client, state({ name: 'a', state: 'offline' }));
    expect(statusOf(fixture, 'a')?.status).toMatchObject({
      state: 'offline', lastOnlineTime: '2026-01-02T03:04:05Z',
      twins: [{ propertyName: 'temperature', reported: { value: '24' } }, { propertyName: 'label', reported: { value: 'x' }, observedDesired: { value: '' } }],
    });
    await devicesOf(fixture).patch('a', 'default', { type: 'merge', body: { spec: { properties: [{ name: 'label' }] } } });
    await answerTo(client, twinMessage(client, 'a', { label: actual('y', 'string') }));
    expect(statusOf(fixture, 'a')?.status?.twins).toEqual([{ propertyName: 'label', reported: { value: 'y', metadata: { timestamp: '1760000000123', type: 'string' } }, observedDesired: { value: '' } }]);
  });

  it('[minicloud-11.2] about unknown devices, another node\'s device, or with nonsense get no answer and do no harm', async () => {
    await using fixture = await openCloud();
    const [client, other] = [await joinReady(fixture, 'e1'), await joinReady(fixture, 'e2')];
    await devicesOf(fixture).create(device('a', 'e1'));
    const unknown = twinMessage(client, 'none', { temperature: actual('1') });
    const foreign = twinMessage(other, 'a', { temperature: actual('666') });
    await other.ask('query', 'null/node/e2');
    for (const resource of ['device', 'device/default/a', 'device/default/a/twin', 'device/default/a/twin/edge_updated', 'device/default/a/state/update', 'membership/detail', 'x/default/a/state/update']) {
      for (const content of [null, 7, 'text', [], { twin: 5 }, { twin: { temperature: 5 } }, { twin: { temperature: { actual: 'x' } } }, { twin: { temperature: { actual: { value: 5 } } } }, { device: null }]) {
        client.send({ source: 'twin', group: 'resource', operation: 'update', resource, content });
      }
    }
    await answerTo(client, twinMessage(client, 'a', { temperature: actual('24') }));
    expect(statusOf(fixture, 'a')?.status).toMatchObject({ twins: [{ reported: { value: '24' } }] });
    expect(statusOf(fixture, 'a')?.status?.twins).toHaveLength(1);
    for (const [from, { header }] of [[client, unknown], [other, foreign]] as const) expect(from.received.filter((m) => m.header.parentId === header.id)).toEqual([]);
    await using lenient = await openCloud({ authorizeNodes: false });
    const stranger = await joinReady(lenient, 'e2');
    await devicesOf(lenient).create(device('a', 'e1'));
    await answerTo(stranger, twinMessage(stranger, 'a', { temperature: actual('1') }));
  });

  it('[minicloud-11.3] keep their order and share writes when they come quickly', async () => {
    await using fixture = await openCloud();
    const client = await joinReady(fixture, 'e1');
    await devicesOf(fixture).create(device('a', 'e1'));
    await answerTo(client, twinMessage(client, 'a', { temperature: actual('first') }));
    const before = Number(statusOf(fixture, 'a')!.metadata.generation);
    const questions = Array.from({ length: 500 }, (_, index) => twinMessage(client, 'a', { [index % 2 ? 'label' : 'temperature']: actual(String(index)) }));
    await client.until(() => questions.every((q) => client.received.some((m) => m.header.parentId === q.header.id)), 20_000);
    expect(statusOf(fixture, 'a')?.status?.twins).toMatchObject([{ propertyName: 'temperature', reported: { value: '498' } }, { propertyName: 'label', reported: { value: '499' } }]);
    expect(Number(statusOf(fixture, 'a')!.metadata.generation) - before).toBeLessThan(400);
  });

  it('[minicloud-11.5] of 200 devices with 5 properties are all taken, however quickly they come', async () => {
    await using fixture = await openCloud();
    const client = await joinReady(fixture, 'e1');
    const names = Array.from({ length: 200 }, (_, index) => `d${index}`);
    const properties = ['a', 'b', 'c', 'd', 'e'];
    await Promise.all(names.map((name) => devicesOf(fixture).create(device(name, 'e1', { deviceModelRef: {}, properties: properties.map((property) => ({ name: property })) }))));
    const open = new Set<string>();
    client.onMessage = ({ header }) => open.delete(header.parentId ?? '');
    for (const round of [1, 2]) {
      for (const property of properties) for (const name of names) open.add(twinMessage(client, name, { [property]: actual(`${round}-${name}`) }).header.id);
    }
    await client.until(() => open.size === 0, 60_000);
    for (const name of names) expect(statusOf(fixture, name)?.status?.twins?.map((twin) => `${twin.propertyName}=${twin.reported?.value}`)).toEqual(properties.map((property) => `${property}=2-${name}`));
  }, 90_000);

  it('[minicloud-11.4] the status goes with the device, a new device of the name begins anew, a status that somebody deletes comes back', async () => {
    await using fixture = await openCloud();
    const client = await joinReady(fixture, 'e1');
    await devicesOf(fixture).create(device('a', 'e1'));
    await answerTo(client, twinMessage(client, 'a', { temperature: actual('24') }));
    await devicesOf(fixture).delete('a', 'default');
    const { metadata } = await devicesOf(fixture).create(device('a', 'e1'));
    await client.until(() => statusOf(fixture, 'a')?.metadata.ownerReferences?.[0]?.uid === metadata.uid);
    expect(statusOf(fixture, 'a')?.status).toEqual({});
    await answerTo(client, twinMessage(client, 'a', { temperature: actual('25') }));
    await fixture.restart();
    expect(statusOf(fixture, 'a')?.status).toMatchObject({ twins: [{ reported: { value: '25' } }] });
    const before = statusOf(fixture, 'a')!.metadata.uid;
    await fixture.cloud.api.resource(API, 'devicestatuses').delete('a', 'default');
    await client.until(() => statusOf(fixture, 'a') !== undefined && statusOf(fixture, 'a')?.metadata.uid !== before);
    await devicesOf(fixture).delete('a', 'default');
    await client.until(() => statusOf(fixture, 'a') === undefined);
  });
});

describe('mistakes in devices', () => {
  it('[minicloud-12.1] are refused with the field when they can never work', async () => {
    await using fixture = await openCloud();
    const refusal = async (draft: DraftObject, of = devicesOf): Promise<string> => of(fixture).create(draft).then(() => 'taken', (error: Error) => error.message);
    expect(await refusal(device('a', 'e1', { properties: [{ name: 't' }, { name: 't' }] }))).toContain('spec.properties[1].name: "t" is there twice');
    expect(await refusal(device('a', 'e1', { properties: [{ name: 't', desired: { value: 5 } }] }))).toContain('spec.properties[0].desired.value: must be string, is number');
    expect(await refusal(device('a', 'e1', { properties: [{ name: 't', collectCycle: 'often' }] }))).toContain('spec.properties[0].collectCycle');
    expect(await refusal(device('No_Name', 'e1'))).toContain('metadata.name');
    expect(await refusal({ metadata: { name: 'm', namespace: 'default' }, spec: { properties: [{ name: 't', type: 'int' }] } } as DraftObject, modelsOf)).toContain('spec.properties[0].type: must be one of "INT"');
    expect(await refusal({ metadata: { name: 'bare', namespace: 'default' } })).toBe('taken');
  });

  it('[minicloud-12.2] are told by events, each once, when the rest may still come', async () => {
    await using fixture = await openCloud();
    await devicesOf(fixture).create(device('a', 'nowhere', { properties: [{ name: 'temperature' }, { name: 'pressure' }, { name: 'sp ace' }] }));
    const events = (): string[] => fixture.cloud.api.store.list({ resource: 'events' }).items.filter((e) => (e['involvedObject'] as { kind: string }).kind === 'Device').map((e) => `${String(e['type'])} ${String(e['reason'])}`).sort();
    const client = await joinReady(fixture, 'e1');
    await client.until(() => events().length === 3);
    expect(events()).toEqual(['Warning ModelNotFound', 'Warning NodeNotFound', 'Warning UnreportableProperty']);
    await modelsOf(fixture).create(model('m'));
    await client.until(() => events().length === 5);
    await devicesOf(fixture).patch('a', 'default', { type: 'merge', body: { metadata: { labels: { touched: 'yes' } } } });
    await devicesOf(fixture).create(device('b', 'e1', { deviceModelRef: {} }));
    await client.until(() => events().includes('Warning ModelMissing'));
    expect(events()).toEqual(['Warning ModelMissing', 'Warning ModelNotFound', 'Warning NodeNotFound', 'Warning UnknownProperty', 'Warning UnknownProperty', 'Warning UnreportableProperty']);
  });
});
