import { createMessage } from '@edge/protocol';
import { MapperInfo, MapperRegisterRequest, ReportDeviceStatesRequest, ReportDeviceStatusRequest, type Twin } from '@edge/protocol/dmi';
import { eventually } from '@edge/testing';
import { expect, it } from 'vitest';
import { asRecorded, recordedCalls, recordedLink, type RecordedCall } from './capture.js';
import { DmiScene } from './dmi-scene.js';
import { callManager } from './fake-mapper.js';

type Fields = Record<string, unknown>;

/** The recorded request of a mapper as a message; its socket is the one of this test. */
async function send(socket: string, call: RecordedCall, own: string): Promise<unknown> {
  const request = call.request as Fields;
  if (call.method === 'MapperRegister') {
    const mapper = request['mapper'] as Fields;
    const info: MapperInfo = { name: String(mapper['name']), version: String(mapper['version']), apiVersion: String(mapper['api_version']), protocol: String(mapper['protocol']), state: String(mapper['state']), address: Buffer.from(own) };
    return callManager(socket, 'mapperRegister', { withData: request['withData'] === true, mapper: info } satisfies MapperRegisterRequest);
  }
  const name = { deviceName: String(request['deviceName']), deviceNamespace: String(request['deviceNamespace']) };
  if (call.method === 'ReportDeviceStates') return callManager(socket, 'reportDeviceStates', { ...name, state: String(request['state']) } satisfies ReportDeviceStatesRequest);
  const { twins } = request['reportedDevice'] as { twins: Twin[] };
  return callManager(socket, 'reportDeviceStatus', { ...name, reportedDevice: { twins, reportToCloud: false, reportCycle: 0 } } satisfies ReportDeviceStatusRequest);
}

it('[dmi-4.1] the recorded story gives the recorded calls, field by field and in their order', async () => {
  await using scene = await DmiScene.start();
  await using mapper = scene.mapper();
  await mapper.serve();
  const story = [
    ...recordedCalls.filter(({ dir, request }) => dir === 'mapper->edgecore' && request).map((call) => ({ at: call.t, play: async () => expect(asRecorded(await send(scene.socket, call, mapper.socket))).toEqual({}) })),
    ...recordedLink
      .filter(({ kind, message }) => kind === 'cloud' && message.route.group === 'resource')
      .map(({ at, message }) => ({ at, play: async () => scene.objects.handle(createMessage({ ...message.route, source: 'meta', group: 'twin', content: message.content })) })),
  ].sort((a, b) => a.at - b.at);
  const expected = recordedCalls.filter(({ dir, request }) => dir === 'edgecore->mapper' && request);
  for (const [i, { play }] of story.entries()) {
    await play();
    // What the mapper had been called before the next thing happened.
    const due = expected.filter(({ t }) => t < (story[i + 1]?.at ?? Infinity)).length;
    await eventually(async () => (mapper.heard.length >= due ? true : undefined), `call ${due}: ${expected[due - 1]?.method ?? ''}`);
  }
  expect(mapper.heard.map(({ method, request }) => ({ method, request: asRecorded(request) }))).toEqual(expected.map(({ method, request }) => ({ method, request })));
  expect(expected.map(({ method }) => method)).toEqual(['CreateDeviceModel', 'RegisterDevice', 'UpdateDevice', 'RemoveDeviceModel', 'RemoveDevice']);
  expect(scene.reported).toEqual([
    { id: 'default/thermo-1', properties: { temperature: { expected: { value: '25' }, actual: { value: '23' } } } },
    { id: 'default/thermo-1', state: 'online' },
  ]);
});
