import type { StructuralSchema } from '@edge/kubeapi';
import { anything, flag, list, number, object, text, texts } from './schema-terms.js';

/** Schemas of the v1beta1 device kinds: the fields and checks of KubeEdge's definitions, described in our words. */

/** A spec is always there. */
const withDefault = (schema: StructuralSchema): StructuralSchema => ({ ...schema, default: {} });

const value = (description: string): StructuralSchema =>
  object({ value: text('The value as text.'), metadata: texts('When and of what type: keys timestamp (milliseconds since 1970) and type.') }, description, ['value']);

const visitors = (description: string): StructuralSchema =>
  object({ protocolName: text('Protocol that the settings are for.'), configData: anything('Settings of that protocol, such as a register and an offset.') }, description);

const database = object({
  influxdb2: object({
    influxdb2ClientConfig: object({ url: text(), org: text(), bucket: text() }),
    influxdb2DataConfig: object({ measurement: text(), tag: texts('Tags of each point.'), fieldKey: text() }),
  }),
  redis: object({ redisClientConfig: object({ addr: text(), db: number(), poolsize: number(), minIdleConns: number() }) }),
  TDEngine: object({ TDEngineClientConfig: object({ addr: text(), dbName: text() }) }),
  mysql: object({ mysqlClientConfig: object({ addr: text(), database: text(), userName: text() }) }),
}, 'Database that the mapper writes each value into.');

const pushMethod = object({
  http: object({ hostName: text('URL without port and path.'), port: number(), requestPath: text(), timeout: number('Seconds.') }, 'HTTP request for each value.'),
  mqtt: object({ address: text('Broker, such as tcp://127.0.0.1:1883.'), topic: text(), qos: number(), retained: flag() }, 'MQTT message for each value.'),
  otel: object({ endpointURL: text('Where OTLP over HTTP is taken.') }, 'OpenTelemetry metric for each value.'),
  dbMethod: database,
  anomalyDetection: anything('Settings of anomaly detection in the mapper.'),
}, 'Where else the mapper sends the value. It does so itself.');

const deviceProperty = object({
  name: text('Name of the property, one of the model\'s.'),
  desired: value('What the property shall be; the mapper sets it on the device.'),
  visitors: visitors('How the mapper gets at the property; taken over the model\'s.'),
  collectCycle: number('Milliseconds between two readings.'),
  reportCycle: number('Milliseconds between two reports.'),
  reportToCloud: flag('Whether the value is reported to the cloud.'),
  pushMethod,
});

const stateReport = { reportToCloud: flag('Whether the state is reported to the cloud.'), reportCycle: number('Milliseconds between two reports.') };

export const deviceSchema: StructuralSchema = object({
  spec: withDefault(object({
    deviceModelRef: object({ name: text('Name of a DeviceModel in the same namespace.') }, 'The model: what such devices have in common.'),
    nodeName: text('The node that the device is attached to.'),
    properties: list(deviceProperty, 'What can be read from the device and set on it. Names are unique.'),
    protocol: object({ protocolName: text('Protocol of the device; the mapper that serves it has the same one.'), configData: anything('How to reach the device, such as an address.') }, 'How the device is reached.'),
    methods: list(object({ name: text(), description: text(), propertyNames: list(text(), 'Properties that the method sets.') }), 'Methods that the mapper offers for the device.'),
    stateReport: object(stateReport, 'Whether and how often the device\'s state is reported.'),
  }, 'The device as it shall be.')),
  status: { ...object(stateReport, 'Of old versions. What a device reports is in the DeviceStatus of its name.'), 'x-kubernetes-preserve-unknown-fields': true },
}, 'A device that is attached to a node.');

export const deviceModelSchema: StructuralSchema = object({
  spec: withDefault(object({
    properties: list(object({
      name: text('Name of the property.'),
      description: text(),
      type: { ...text('Type of the value.'), enum: ['INT', 'FLOAT', 'DOUBLE', 'STRING', 'BOOLEAN', 'BYTES', 'STREAM'] },
      accessMode: { ...text('Whether it can be set.'), enum: ['ReadWrite', 'ReadOnly'] },
      minimum: text('Least value, as text.'),
      maximum: text('Greatest value, as text.'),
      unit: text(),
      visitors: visitors('How a mapper gets at the property, unless the device says otherwise.'),
    }), 'What such devices have. Names are unique.'),
    protocol: text('Protocol of such devices.'),
    protocolConfigData: anything('How such devices are reached, unless the device says otherwise.'),
  }, 'What devices of this model have in common.')),
}, 'A kind of device.');

export const deviceStatusSchema: StructuralSchema = object({
  spec: object({}, 'Empty: the device of the same name is the owner.'),
  status: object({
    twins: list(object({
      propertyName: text('Name of the property.'),
      reported: value('What the device has reported.'),
      observedDesired: value('The desired value as the mapper knows it.'),
    }), 'The properties that were reported.'),
    state: text('State of the device: online, offline, ok, unknown, unhealthy.'),
    lastOnlineTime: text('When it was online last, RFC 3339.'),
    extensions: anything('More, as it comes.'),
  }, 'What was reported.'),
}, 'What a device has reported. It goes with the device.');
