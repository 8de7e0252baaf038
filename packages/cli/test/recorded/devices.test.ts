import { describe, beforeAll, expect, it } from 'vitest';
import { compare, type Verdict } from './compare.js';
import { isAboutDevices, playMapper, playMqtt, recordedCalls, recordedMqtt, type DevicePlay } from './device-play.js';
import { differences } from './differences.js';
import { cloudMessages, edgeMessages, readRecording } from './recordings.js';

const PLAY_MS = 120_000;

function verdictOn({ recording, heard, sent }: DevicePlay): Verdict {
  return compare({ recordings: [recording], starts: [], heard: heard.filter(({ message }) => isAboutDevices(message)).map((one) => ({ ...one, capture: 0 })), sent }, differences);
}

/** Times and new ids as words; everything else is compared to the byte. */
const words = (text: string): string =>
  text
    .replace(/\b1[0-9]{12}\b/g, '<ms>')
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<uuid>')
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, '<time>');

/** Objects of the Device Mapper Interface as the recording has them: without members that hold their default, bytes as base64, in any order. */
function plain(value: unknown): unknown {
  if (Buffer.isBuffer(value) || value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('base64') };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return typeof value === 'number' ? String(value) : value;
  const members = Object.entries(value).flatMap(([key, member]): [string, unknown][] => {
    const isDefault = member === undefined || member === null || member === '' || member === 0 || member === false || (Array.isArray(member) && member.length === 0);
    // What is no message but a map is not on the wire when it is empty.
    const isEmptyMap = ['metadata', 'data'].includes(key) && Object.keys(member as object).length === 0;
    return isDefault || isEmptyMap ? [] : [[key === 'type_url' ? 'typeUrl' : key, plain(member)]];
  });
  return Object.fromEntries(members.sort(([one], [other]) => (one < other ? -1 : 1)));
}

describe('the cloud and the MQTT client of recording 05: a device comes, reports, is asked, and goes', () => {
  let played: DevicePlay;
  beforeAll(async () => {
    played = await playMqtt();
  }, PLAY_MS);

  it('[recorded-4.1] the cloud hears what it heard from the Go agent, without any difference', () => {
    const { problems, compared, needed } = verdictOn(played);
    expect(problems).toEqual([]);
    expect([...needed]).toEqual([]);
    expect(Object.fromEntries(compared)).toEqual({
      'update device/default/thermo-1/twin/edge_updated': 1,
      'update device/default/thermo-1/state/update': 1,
      'response default/devicemodel/thermo-model': 2,
      'response default/device/thermo-1': 2,
    });
    expect(played.missed).toEqual([]);
    expect(played.log.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('[recorded-4.2] the client sees the same messages on the same topics, byte for byte but for times and ids', () => {
    const asText = ({ topic, payload }: { topic: string; payload: string }): string => words(`${topic} ${payload}`);
    expect(played.mqtt.map(asText)).toEqual(recordedMqtt().map(asText));
  });

  it('[recorded-4.3] the rows are those of the Go agent, and go with the device', () => {
    const text = (row: object): string => words(JSON.stringify(row));
    const { before, after } = played.rows;
    expect(before.device.map(text)).toEqual(['{"id":"default/thermo-1","name":"thermo-1","description":"","state":"online","last_online":"<time>"}']);
    expect(before.device_twin.map(text)).toEqual([
      '{"id":1,"deviceid":"default/thermo-1","name":"temperature","description":"","expected":"","actual":"24","expected_meta":"","actual_meta":"{\\"timestamp\\":<ms>}","expected_version":"","actual_version":"{\\"cloud\\":0,\\"edge\\":1}","optional":1,"attr_type":"int","metadata":"{}"}',
    ]);
    expect(before.device_attr).toEqual([]);
    expect(before.meta).toMatchObject([
      { key: 'default/device/thermo-1', type: 'device' },
      { key: 'default/devicemodel/thermo-model', type: 'devicemodel' },
    ]);
    expect(after).toEqual({ device: [], device_attr: [], device_twin: [], meta: [] });
  });

  it('[recorded-4.4] a report that is missing, doubled or of another value is noticed', () => {
    const isReport = ({ message }: (typeof played.heard)[number]): boolean => message.route.resource.endsWith('edge_updated');
    const [report] = played.heard.filter(isReport);
    if (!report) throw new Error('no report was heard');
    const changed = JSON.parse(JSON.stringify(report.message).replace('"24"', '"25"')) as typeof report.message;
    expect(verdictOn({ ...played, heard: played.heard.filter((one) => !isReport(one)) }).problems).toEqual([expect.stringContaining('not sent: update device/default/thermo-1/twin/edge_updated')]);
    expect(verdictOn({ ...played, heard: [...played.heard, report] }).problems.join('\n')).toMatch(/upstream did not send this/);
    expect(verdictOn({ ...played, heard: played.heard.map((one) => (isReport(one) ? { ...one, message: changed } : one)) }).problems.join('\n')).toMatch(/ours "value": "25"/);
  });
});

describe('the cloud and the mapper of recording 16: a device is registered, reports, changes, and is removed', () => {
  let played: DevicePlay;
  beforeAll(async () => {
    played = await playMapper();
  }, PLAY_MS);

  it('[recorded-5.1] the cloud hears what it heard from the Go agent, without any difference', () => {
    const { problems, compared, needed } = verdictOn(played);
    expect(problems).toEqual([]);
    expect([...needed]).toEqual([]);
    expect(Object.fromEntries(compared)).toMatchObject({ 'update device/default/thermo-1/twin/edge_updated': 1, 'update device/default/thermo-1/state/update': 1 });
    expect(played.missed).toEqual([]);
    expect(played.log.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('[recorded-5.2] the mapper gets the same calls in the same order with the same contents', () => {
    const recorded = recordedCalls().flatMap(({ dir, method, request }) => (dir === 'edgecore->mapper' && request ? [{ method, request: plain(request) }] : []));
    expect(recorded.length).toBe(5);
    expect(played.calls.map(({ method, request }) => ({ method, request: plain(request) }))).toEqual(recorded);
  });

  it('[recorded-5.3] the mapper is kept as the Go agent keeps it, the device until it is removed', () => {
    const { before, after } = played.rows;
    const key = 'node/nodeID/namespace/devicemapper/thermo-mapper';
    const value = expect.stringMatching(/^\{"name":"thermo-mapper","version":"v1.13.0","api_version":"v1.0.0","protocol":"modbus","address":"[A-Za-z0-9+/=]+","state":"ok"\}$/) as string;
    expect(before.meta).toEqual([
      { key: 'default/device/thermo-1', type: 'device', value: expect.stringContaining('"value":"30"') as string },
      { key: 'default/devicemodel/thermo-model', type: 'devicemodel', value: expect.any(String) as string },
      { key, type: 'devicemapper', value },
    ]);
    expect(before.device_twin).toMatchObject([{ deviceid: 'default/thermo-1', name: 'temperature', expected: '25', actual: '23', attr_type: 'string' }]);
    expect(after).toMatchObject({ device: [], device_attr: [], device_twin: [], meta: [{ key }] });
  });
});

it('[recorded-4.5] both recordings equal themselves without any difference', () => {
  for (const name of ['05-device', '16-dmi'] as const) {
    const recording = readRecording(name).filter((step) => (step.kind === 'edge' || step.kind === 'cloud') && isAboutDevices(step.message));
    const heard = edgeMessages(recording).map((one) => ({ ...one, capture: 0, session: 1 }));
    expect(compare({ recordings: [recording], starts: [], heard, sent: cloudMessages(recording) }, []).problems).toEqual([]);
  }
});
