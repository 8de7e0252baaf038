/**
 * The payloads of the device topics as a table: what a client publishes on a node with one fresh device, and everything that
 * the node then publishes, in order. It is data, so that the same rows run on the module alone and over real brokers.
 * `{device}` stands for the device's id, `{name}` for its name, `{node}` for the node's name.
 */
export interface Publish {
  readonly topic: string;
  /** Text as it is; anything else as JSON. */
  readonly payload: unknown;
}

export interface PayloadRow {
  readonly title: string;
  /** Published first; the answers are not looked at. */
  readonly before?: readonly Publish[];
  readonly publish: Publish;
  /** Times are `<time>`, fresh ids `<uuid>`. Empty: nothing at all. */
  readonly expect: readonly Publish[];
}

export const TWIN = '$hw/events/device/{device}/twin';
export const STATE = '$hw/events/device/{device}/state';
const NO_DEVICE = '$hw/events/device/';
const TIME = '<time>';
const UUID = '<uuid>';

const update = (payload: unknown, device = '{device}'): Publish => ({ topic: `$hw/events/device/${device}/twin/update`, payload });
const twins = (twin: unknown): Publish => update({ event_id: 'e0', timestamp: 1, twin });
const result = (twin: unknown, eventId = 'e1'): Publish => ({ topic: `${TWIN}/update/result`, payload: { event_id: eventId, timestamp: TIME, twin } });
const refused = (code: number, reason: string, eventId = 'e1', device = '{device}'): Publish => ({
  topic: `${NO_DEVICE}${device}/twin/update/result`,
  payload: { event_id: eventId, timestamp: TIME, code, reason },
});
const unreadable = (reason: string): Publish => refused(400, reason, '', '');
const document = (twin: unknown): Publish => ({ topic: `${TWIN}/update/document`, payload: { event_id: 'e1', timestamp: TIME, twin } });
const delta = (twin: unknown, open: unknown): Publish => ({ topic: `${TWIN}/update/delta`, payload: { event_id: UUID, timestamp: TIME, twin, delta: open } });
const side = (value: string): unknown => ({ value, metadata: { timestamp: TIME } });
const ask = (twin: unknown): Publish => update({ event_id: 'e1', timestamp: 1760000000000, twin });

const UNREADABLE = 'Unmarshal update request body failed, please check the request';
const BAD_KEY =
  'The key of twin must only include upper or lowercase letters, number, english, and special letter - _ . , : / @ # and the length of key should be less than 128 bytes';
const BAD_VALUE =
  'The value of twin must only include upper or lowercase letters, number, english, and special letter - _ . , : / @ # and the length of value should be less than 512 bytes';

/** A property that stands with both sides reached. */
const STANDING = twins({ t: { expected: { value: '5' }, actual: { value: '5' }, metadata: { type: 'int' } } });
const standing = { expected: side('5'), actual: side('5'), optional: true, metadata: { type: 'int' } };
const typed = (type: string, value: string): Publish => ask({ t: { actual: { value }, metadata: { type } } });
const created = (type: string, value: string): readonly Publish[] => {
  const twin = { actual: side(value), optional: true, metadata: type === '' ? {} : { type } };
  return [result({ t: twin }), document({ t: { last: null, current: twin } })];
};

const NEW_TWIN = { expected: side('26'), actual: side('24.3'), optional: true, metadata: { type: 'float' } };

export const payloadTable: readonly PayloadRow[] = [
  {
    title: 'a new property with all members: result, document, delta',
    publish: ask({ temperature: { expected: { value: '26' }, actual: { value: '24.3' }, optional: true, metadata: { type: 'float' } } }),
    expect: [result({ temperature: NEW_TWIN }), document({ temperature: { last: null, current: NEW_TWIN } }), delta({ temperature: NEW_TWIN }, { temperature: '26' })],
  },
  { title: 'a new property by its value alone is optional and of type string', publish: ask({ t: { actual: { value: '1' } } }), expect: created('string', '1') },
  {
    title: 'a new property without any value',
    publish: ask({ t: {} }),
    expect: [result({ t: { optional: true, metadata: { type: 'string' } } }), document({ t: { last: null, current: { optional: true, metadata: { type: 'string' } } } })],
  },
  {
    title: 'the empty text is no value in a new property',
    publish: ask({ t: { actual: { value: '' } } }),
    expect: [result({ t: { optional: true, metadata: { type: 'string' } } }), document({ t: { last: null, current: { optional: true, metadata: { type: 'string' } } } })],
  },
  {
    title: 'the actual value alone: the result shows only what the request was about',
    before: [STANDING],
    publish: ask({ t: { actual: { value: '6' } } }),
    expect: [
      result({ t: { actual: side('6'), optional: true, metadata: { type: 'int' } } }),
      document({ t: { last: standing, current: { ...standing, actual: side('6') } } }),
      delta({ t: { ...standing, actual: side('6') } }, { t: '5' }),
    ],
  },
  {
    title: 'the expected value alone',
    before: [STANDING],
    publish: ask({ t: { expected: { value: '7' } } }),
    expect: [
      result({ t: { expected: side('7'), optional: true, metadata: { type: 'int' } } }),
      document({ t: { last: standing, current: { ...standing, expected: side('7') } } }),
      delta({ t: { ...standing, expected: side('7') } }, { t: '7' }),
    ],
  },
  {
    title: 'the request\'s own times and versions count for nothing',
    before: [STANDING],
    publish: ask({ t: { actual: { value: '6', metadata: { timestamp: 5 } }, actual_version: { cloud: 9, edge: 9 } } }),
    expect: [
      result({ t: { actual: side('6'), optional: true, metadata: { type: 'int' } } }),
      document({ t: { last: standing, current: { ...standing, actual: side('6') } } }),
      delta({ t: { ...standing, actual: side('6') } }, { t: '5' }),
    ],
  },
  {
    title: 'a value that stands already: its result, and nothing else',
    before: [STANDING],
    publish: ask({ t: { actual: { value: '5' } } }),
    expect: [result({ t: { actual: side('5'), optional: true, metadata: { type: 'int' } } })],
  },
  {
    title: 'keys in any case',
    publish: { topic: `${TWIN}/update`, payload: { Event_ID: 'e1', TimeStamp: 1, Twin: { t: { Actual: { VALUE: '1' }, MetaData: { Type: 'int' } } } } },
    expect: created('int', '1'),
  },
  { title: 'members that nobody knows, and null members', publish: ask({ t: { actual: { value: '1', x: [] }, expected: null, optional: null, metadata: null, y: 3 } }), expect: created('string', '1') },
  {
    title: 'null deletes an optional property',
    before: [STANDING],
    publish: ask({ t: null }),
    expect: [result({ t: null }), document({ t: { last: standing, current: null } })],
  },
  {
    title: 'a deleted property and a new one in one request',
    before: [STANDING],
    publish: ask({ u: { actual: { value: '1' } }, t: null }),
    expect: [
      result({ t: null, u: { actual: side('1'), optional: true, metadata: { type: 'string' } } }),
      document({ t: { last: standing, current: null }, u: { last: null, current: { actual: side('1'), optional: true, metadata: { type: 'string' } } } }),
    ],
  },
  {
    title: 'null for a property that is not optional is ignored',
    before: [twins({ t: { actual: { value: '1' }, optional: false } })],
    publish: ask({ t: null }),
    expect: [result({})],
  },
  {
    title: 'null for a property that nobody knows: success, and mentioned in the document',
    publish: ask({ t: null }),
    expect: [result({}), document({ t: { last: null, current: null } })],
  },
  { title: 'null for a deleted property is ignored', before: [STANDING, twins({ t: null })], publish: ask({ t: null }), expect: [result({})] },
  {
    title: 'a deleted property comes back with a new type',
    before: [STANDING, twins({ t: null })],
    publish: ask({ t: { actual: { value: 'warm' }, metadata: { type: 'string' } } }),
    expect: created('string', 'warm'),
  },
  {
    title: 'a deleted property comes back without a type as string',
    before: [STANDING, twins({ t: null })],
    publish: ask({ t: { actual: { value: 'warm' } } }),
    expect: created('string', 'warm'),
  },
  {
    title: 'optional goes from true to false',
    before: [STANDING],
    publish: ask({ t: { optional: false } }),
    expect: [result({ t: { optional: false } }), document({ t: { last: standing, current: { ...standing, optional: false } } })],
  },
  {
    title: 'optional never goes from false to true',
    before: [twins({ t: { actual: { value: '1' }, optional: false } })],
    publish: ask({ t: { optional: true } }),
    expect: [result({})],
  },
  { title: 'the type of a living property stays', before: [STANDING], publish: ask({ t: { actual: { value: 'x' }, metadata: { type: 'string' } } }), expect: [refused(400, 'the value is not int or integer')] },
  { title: 'an empty request', publish: ask({}), expect: [result({})] },
  {
    title: 'the delta is published as long as a value is not reached',
    before: [twins({ t: { expected: { value: 'on' } } })],
    publish: ask({ u: { actual: { value: '1' } } }),
    expect: [
      result({ u: { actual: side('1'), optional: true, metadata: { type: 'string' } } }),
      document({ u: { last: null, current: { actual: side('1'), optional: true, metadata: { type: 'string' } } } }),
      delta({ t: { expected: side('on'), optional: true, metadata: { type: 'string' } } }, { t: 'on' }),
    ],
  },
  {
    title: 'a property that reaches its expected value has no delta any more',
    before: [twins({ t: { expected: { value: 'on' } } })],
    publish: ask({ t: { actual: { value: 'on' } } }),
    expect: [
      result({ t: { actual: side('on'), optional: true, metadata: { type: 'string' } } }),
      document({
        t: {
          last: { expected: side('on'), optional: true, metadata: { type: 'string' } },
          current: { expected: side('on'), actual: side('on'), optional: true, metadata: { type: 'string' } },
        },
      }),
    ],
  },
  // What cannot be read is answered without a device and without an event.
  { title: 'no JSON', publish: update('{"twin":'), expect: [unreadable(UNREADABLE)] },
  { title: 'an empty payload', publish: update(''), expect: [unreadable(UNREADABLE)] },
  { title: 'a list', publish: update([]), expect: [unreadable(UNREADABLE)] },
  { title: 'a value that is a number', publish: ask({ t: { actual: { value: 5 } } }), expect: [unreadable(UNREADABLE)] },
  { title: 'a side that is a text', publish: ask({ t: { actual: '5' } }), expect: [unreadable(UNREADABLE)] },
  { title: 'optional that is a text', publish: ask({ t: { optional: 'true' } }), expect: [unreadable(UNREADABLE)] },
  { title: 'an event id that is a number', publish: update({ event_id: 1, twin: {} }), expect: [unreadable(UNREADABLE)] },
  { title: 'no twin', publish: update({ event_id: 'e1', timestamp: 1 }), expect: [unreadable('Update twin error, key:twin does not exist')] },
  { title: 'twin null', publish: ask(null), expect: [unreadable('Update twin error, key:twin does not exist')] },
  { title: 'null', publish: update('null'), expect: [unreadable('Update twin error, key:twin does not exist')] },
  { title: 'a key with a space', publish: ask({ 'a b': { actual: { value: '1' } } }), expect: [unreadable(BAD_KEY)] },
  { title: 'an empty key', publish: ask({ '': null }), expect: [unreadable(BAD_KEY)] },
  { title: 'a key of 129 letters', publish: ask({ ['k'.repeat(129)]: null }), expect: [unreadable(BAD_KEY)] },
  { title: 'a value with a space', publish: ask({ t: { actual: { value: 'a b' } } }), expect: [unreadable(BAD_VALUE)] },
  { title: 'an expected value with a quote', publish: ask({ t: { expected: { value: 'a"b' } } }), expect: [unreadable(BAD_VALUE)] },
  { title: 'a value with a letter beyond ASCII', publish: ask({ t: { actual: { value: '°' } } }), expect: [unreadable(BAD_VALUE)] },
  { title: 'a value of 513 letters', publish: ask({ t: { actual: { value: 'v'.repeat(513) } } }), expect: [unreadable(BAD_VALUE)] },
  { title: 'all letters that are allowed, 512 of them', publish: typed('string', 'aZ09-_.,:/@#'.padEnd(512, 'x')), expect: created('string', 'aZ09-_.,:/@#'.padEnd(512, 'x')) },
  // What can be read and is not right.
  {
    title: 'a device that is not there',
    publish: update({ event_id: 'e1', timestamp: 1, twin: {} }, '{device}-x'),
    expect: [refused(404, 'update rejected due to the device is not existed', 'e1', '{device}-x')],
  },
  {
    title: 'a side without a value is refused, naming it',
    publish: ask({ t: { actual: {} } }),
    expect: [refused(400, 'the actual of twin t has no value; give "actual":{"value":"…"}, or leave it out')],
  },
  { title: 'one property that is not right spoils the request', publish: ask({ a: { actual: { value: '1' } }, b: { actual: { value: 'x' }, metadata: { type: 'int' } } }), expect: [refused(400, 'the value is not int or integer')] },
  { title: 'int: a whole number', publish: typed('int', '-12'), expect: created('int', '-12') },
  { title: 'integer: the largest', publish: typed('integer', '9223372036854775807'), expect: created('integer', '9223372036854775807') },
  { title: 'int: beyond 64 bits', publish: typed('int', '9223372036854775808'), expect: [refused(400, 'the value is not int or integer')] },
  { title: 'int: a fraction', publish: typed('int', '1.5'), expect: [refused(400, 'the value is not int or integer')] },
  { title: 'float: an exponent', publish: typed('float', '1.5e-3'), expect: created('float', '1.5e-3') },
  { title: 'float: not a number is one', publish: typed('float', 'NaN'), expect: created('float', 'NaN') },
  { title: 'float: beyond its range', publish: typed('float', '1e999'), expect: [refused(400, 'the value is not float')] },
  { title: 'float: a word', publish: typed('float', 'warm'), expect: [refused(400, 'the value is not float')] },
  { title: 'boolean: true', publish: typed('boolean', 'true'), expect: created('boolean', 'true') },
  { title: 'boolean: True', publish: typed('boolean', 'True'), expect: [refused(400, 'the bool value must be true or false')] },
  { title: 'the empty type takes anything', publish: typed('', 'x'), expect: created('', 'x') },
  { title: 'double is no type', publish: typed('double', '1'), expect: [refused(400, 'the value type is not allowed')] },
  { title: 'INT is no type', publish: typed('INT', '1'), expect: [refused(400, 'the value type is not allowed')] },
  { title: 'deleted is no type', publish: typed('deleted', '1'), expect: [refused(400, 'the value type is not allowed')] },
  // twin/get
  {
    title: 'twin/get: the whole twin',
    before: [STANDING, twins({ u: { actual: { value: '1' } } }), twins({ u: null })],
    publish: { topic: `${TWIN}/get`, payload: { event_id: 'e2', timestamp: 1 } },
    expect: [{ topic: `${TWIN}/get/result`, payload: { event_id: 'e2', timestamp: TIME, twin: { t: standing } } }],
  },
  {
    title: 'twin/get: nothing there yet',
    publish: { topic: `${TWIN}/get`, payload: { event_id: 'e2', timestamp: 1 } },
    expect: [{ topic: `${TWIN}/get/result`, payload: { event_id: 'e2', timestamp: TIME, twin: {} } }],
  },
  {
    title: 'twin/get: no JSON',
    publish: { topic: `${TWIN}/get`, payload: 'x' },
    expect: [{ topic: `${TWIN}/get/result`, payload: { event_id: '', timestamp: TIME, code: 400, reason: 'Unmarshal twin info x failed , err: <why>' } }],
  },
  {
    title: 'twin/get: a device that is not there',
    publish: { topic: '$hw/events/device/{device}-x/twin/get', payload: { event_id: 'e2', timestamp: 1 } },
    expect: [{ topic: '$hw/events/device/{device}-x/twin/get/result', payload: { event_id: 'e2', timestamp: TIME, code: 404, reason: 'Device {device}-x not found while getting twin' } }],
  },
  // state
  {
    title: 'state online: with its time',
    publish: { topic: `${STATE}/update`, payload: { event_id: 'e3', timestamp: 1, state: 'online' } },
    expect: [{ topic: `${STATE}/update/result`, payload: { event_id: UUID, timestamp: TIME, device: { name: '{name}', state: 'online', lastOnlineTime: TIME } } }],
  },
  {
    title: 'state: the key in any case, the word as it came',
    publish: { topic: `${STATE}/update`, payload: { State: 'OK' } },
    expect: [{ topic: `${STATE}/update/result`, payload: { event_id: UUID, timestamp: TIME, device: { name: '{name}', state: 'OK', lastOnlineTime: TIME } } }],
  },
  {
    title: 'state offline: never seen online',
    publish: { topic: `${STATE}/update`, payload: { event_id: 'e3', timestamp: 1, state: 'offline' } },
    expect: [{ topic: `${STATE}/update/result`, payload: { event_id: UUID, timestamp: TIME, device: { name: '{name}', state: 'offline' } } }],
  },
  {
    title: 'state offline after online: the last time is kept',
    before: [{ topic: `${STATE}/update`, payload: { state: 'online' } }],
    publish: { topic: `${STATE}/update`, payload: { state: 'offline' } },
    expect: [{ topic: `${STATE}/update/result`, payload: { event_id: UUID, timestamp: TIME, device: { name: '{name}', state: 'offline', lastOnlineTime: TIME } } }],
  },
  ...['unknown', 'unhealthy', 'disconnected'].map((state) => ({
    title: `state ${state}`,
    publish: { topic: `${STATE}/update`, payload: { state } },
    expect: [{ topic: `${STATE}/update/result`, payload: { event_id: UUID, timestamp: TIME, device: { name: '{name}', state } } }],
  })),
  {
    title: 'state: missing',
    publish: { topic: `${STATE}/update`, payload: { event_id: 'e3' } },
    expect: [{ topic: `${STATE}/update/result`, payload: { event_id: 'e3', timestamp: TIME, code: 400, reason: 'the state is missing; give "state":"online", "offline", or another word' } }],
  },
  {
    title: 'state: a device that is not there',
    publish: { topic: '$hw/events/device/{device}-x/state/update', payload: { event_id: 'e3', state: 'online' } },
    expect: [{ topic: '$hw/events/device/{device}-x/state/update/result', payload: { event_id: 'e3', timestamp: TIME, code: 404, reason: 'update rejected due to the device is not existed' } }],
  },
  // membership
  {
    title: 'membership/get: the devices of the node, whatever node the topic names',
    before: [{ topic: `${STATE}/update`, payload: { state: 'online' } }],
    publish: { topic: '$hw/events/node/any/membership/get', payload: { event_id: 'e4', timestamp: 1 } },
    expect: [
      {
        topic: '$hw/events/node/{node}/membership/get/result',
        payload: { event_id: 'e4', timestamp: TIME, devices: [{ id: '{device}', name: '{name}', state: 'online', last_online: TIME }] },
      },
    ],
  },
  {
    title: 'membership/get: no JSON',
    publish: { topic: '$hw/events/node/{node}/membership/get', payload: '{' },
    expect: [{ topic: '$hw/events/node/{node}/membership/get/result', payload: { event_id: '', timestamp: TIME, code: 400, reason: 'Unmarshal get membership info { failed , err: <why>' } }],
  },
  { title: 'twin/cloud_updated from a client is refused without a word', publish: { topic: `${TWIN}/cloud_updated`, payload: { event_id: 'e', twin: { t: { expected: { value: '1' }, metadata: { type: 'string' }, expected_version: { cloud: 1, edge: 0 } } } } }, expect: [] },
  { title: 'other topics below twin mean nothing', publish: { topic: `${TWIN}/delta`, payload: {} }, expect: [] },
];

/** The row with the names of a device and a node filled in, payloads as texts of JSON. */
export function fillRow(row: PayloadRow, names: { readonly device: string; readonly node: string }): PayloadRow {
  const name = names.device.slice(names.device.indexOf('/') + 1);
  const fill = (text: string): string => text.replaceAll('{device}', names.device).replaceAll('{name}', name).replaceAll('{node}', names.node);
  const filled = ({ topic, payload }: Publish): Publish => ({ topic: fill(topic), payload: fill(typeof payload === 'string' ? payload : JSON.stringify(payload)) });
  return { title: row.title, before: (row.before ?? []).map(filled), publish: filled(row.publish), expect: row.expect.map(filled) };
}

/** A published payload with what differs from run to run replaced by words; the order of members stays. */
export function comparable(payload: string): string {
  return payload
    .replace(/"timestamp":1[6-9]\d{11}\b/g, '"timestamp":"<time>"')
    .replace(/"event_id":"[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[\da-f]{4}-[\da-f]{12}"/g, '"event_id":"<uuid>"')
    .replace(/"(lastOnlineTime|last_online)":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"/g, '"$1":"<time>"')
    .replace(/(failed , err: )(?:[^"\\]|\\.)*"/g, '$1<why>"');
}
