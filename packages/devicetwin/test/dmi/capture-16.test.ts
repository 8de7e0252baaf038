import { createMessage, type Message } from '@edge/protocol';
import type { MapperInfo, MapperRegisterRequest, ReportDeviceStatesRequest, ReportDeviceStatusRequest, Twin } from '@edge/protocol/dmi';
import { eventually, normalise } from '@edge/testing';
import { expect, it } from 'vitest';
import { asRecorded, recordedCalls, recordedLink, type RecordedCall } from './capture.js';
import { cloudOk, openScene } from '../support/scene.js';
import { DmiScene } from './dmi-scene.js';
import { callManager, FakeMapper } from './fake-mapper.js';

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

interface Stage {
  readonly socket: string;
  readonly mapper: FakeMapper;
  readonly fromCloud: (message: Message) => Promise<void>;
}

/** Plays what the cloud and the mapper did, each thing after what EdgeCore did about the one before. */
async function play({ socket, mapper, fromCloud }: Stage): Promise<void> {
  const story = [
    ...recordedCalls.filter(({ dir, request }) => dir === 'mapper->edgecore' && request).map((call) => ({ at: call.t, play: async () => expect(asRecorded(await send(socket, call, mapper.socket))).toEqual({}) })),
    ...recordedLink.filter(({ kind, message }) => kind === 'cloud' && message.route.operation !== 'response').map(({ at, message }) => ({ at, play: () => fromCloud(message) })),
  ].sort((a, b) => a.at - b.at);
  for (const [i, { play: act }] of story.entries()) {
    await act();
    // What the mapper had been called before the next thing happened.
    const due = expectedCalls.filter(({ t }) => t < (story[i + 1]?.at ?? Infinity)).length;
    await eventually(async () => (mapper.heard.length >= due ? true : undefined), `call ${due}: ${expectedCalls[due - 1]?.method ?? ''}`);
  }
}

/** metamanager stores objects and passes them on; the rest goes to the twin as it comes. */
function passedOn(message: Message): Message {
  return message.route.group === 'resource' ? createMessage({ ...message.route, source: 'meta', group: 'twin', content: message.content }) : message;
}

const expectedCalls = recordedCalls.filter(({ dir, request }) => dir === 'edgecore->mapper' && request);
const calls = (mapper: FakeMapper): unknown => mapper.heard.map(({ method, request }) => ({ method, request: asRecorded(request) }));
const recorded = expectedCalls.map(({ method, request }) => ({ method, request }));

it('[dmi-4.1] the recorded story gives the recorded calls, field by field and in their order', async () => {
  await using scene = await DmiScene.start();
  await using mapper = scene.mapper();
  await mapper.serve();
  await play({ socket: scene.socket, mapper, fromCloud: async (message) => (message.route.group === 'resource' ? scene.objects.handle(passedOn(message)) : undefined) });
  expect(calls(mapper)).toEqual(recorded);
  expect(expectedCalls.map(({ method }) => method)).toEqual(['CreateDeviceModel', 'RegisterDevice', 'UpdateDevice', 'RemoveDeviceModel', 'RemoveDevice']);
  expect(scene.reported).toEqual([
    { id: 'default/thermo-1', properties: { temperature: { expected: { value: '25' }, actual: { value: '23' } } } },
    { id: 'default/thermo-1', state: 'online' },
  ]);
});

it('[dmi-4.2] the whole module tells the cloud what was recorded of it', async () => {
  // As recorded: the first report of a property is not answered. Then it is told again, which the recording is too short to show.
  const cloud = (asked: Message): Message | undefined => (asked.route.resource.endsWith('/state/update') ? cloudOk(asked) : undefined);
  await using scene = await openScene({ connected: true, cloud });
  await using mapper = new FakeMapper(`${scene.dmiSocket}.mapper`);
  await mapper.serve();
  await play({ socket: scene.dmiSocket, mapper, fromCloud: (message) => scene.fromCloud(passedOn(message)) });
  expect(calls(mapper)).toEqual(recorded);
  const told = (messages: readonly Message[]): string[] => [
    ...new Set(
      messages
        .filter(({ route }) => route.source === 'twin')
        .map(({ route, content }) => JSON.stringify({ route, text: typeof content === 'string', content: normalise(content, { members: ['event_id', 'timestamp'] }) })),
    ),
  ];
  const expected = told(recordedLink.filter(({ kind }) => kind === 'edge').map(({ message }) => message));
  expect(expected).toHaveLength(2);
  expect(told(scene.hub.received)).toEqual(expected);
});
