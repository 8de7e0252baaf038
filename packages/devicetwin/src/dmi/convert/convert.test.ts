import type { Device } from '@edge/protocol';
import { Device as DmiDevice, valueOf } from '@edge/protocol/dmi';
import { describe, expect, it } from 'vitest';
import { device, model } from '../../../test/dmi/objects.js';
import { configData, type NestedConfig } from './config-values.js';
import { dmiDevice } from './device.js';
import { mergeModel, modelOf } from './merge.js';
import { dmiModel } from './model.js';

/** As it arrives on the other side. */
const sent = (object: Device, nested: NestedConfig = 'refuse'): DmiDevice => DmiDevice.decode(DmiDevice.encode(dmiDevice(object, nested)).finish());
const values = (config: ReturnType<typeof configData> | undefined): Record<string, unknown> => Object.fromEntries(Object.entries(config?.data ?? {}).map(([key, value]) => [key, valueOf(value)]));

describe('objects of the cloud as mappers get them', () => {
  it('[dmi-8.1] what mappers of upstream read unasked is there even when it is empty', () => {
    const bare = sent({ metadata: { name: 'd', namespace: 'n' }, spec: { properties: [{ name: 'p' }] } });
    expect(bare).toMatchObject({
      name: 'd',
      namespace: 'n',
      status: { twins: [], reportToCloud: false, reportCycle: 0 },
      spec: {
        deviceModelReference: '',
        protocol: { protocolName: '', configData: { data: {} } },
        properties: [{ name: 'p', desired: { value: '', metadata: {} }, visitors: { protocolName: '', configData: { data: {} } }, pushMethod: undefined }],
        methods: [],
      },
    });
  });

  it('[dmi-8.2] numbers arrive as they were, whole ones of any size exactly; null is left out', () => {
    expect(values(configData({ a: 1, b: 16_777_217, c: -9_007_199_254_740_991, d: 0.5, e: 'x', f: true, g: null }, 'refuse', 'c'))).toEqual({ a: 1, b: 16_777_217, c: -9_007_199_254_740_991, d: 0.5, e: 'x', f: true });
  });

  it('[dmi-8.3] lists and objects in configData are refused by name, or go as their JSON text when that is set', () => {
    const nested = device('d', '1', { protocol: { protocolName: 'modbus', configData: { tcp: { ip: '127.0.0.1' }, list: [1] } } });
    expect(() => dmiDevice(nested, 'refuse')).toThrow('spec.protocol.configData.tcp is an object; mappers take text, numbers and booleans only');
    expect(values(sent(nested, 'json').spec?.protocol?.configData)).toEqual({ tcp: '{"ip":"127.0.0.1"}', list: '[1]' });
  });

  it('[dmi-8.4] every way to push, whatever the case of its keys', () => {
    const pushMethod = {
      http: { hostName: 'http://127.0.0.1', port: 8080, requestPath: '/in', timeout: 5 },
      mqtt: { address: 'tcp://127.0.0.1:1883', topic: 't/a', qos: 1, retained: true },
      otel: { EndpointURL: 'http://127.0.0.1:4318/v1/metrics' },
      dbMethod: {
        influxdb2: { influxdb2ClientConfig: { url: 'http://127.0.0.1:8086', org: 'o', bucket: 'b' }, influxdb2DataConfig: { measurement: 'm', tag: { unit: 'C' }, fieldKey: 'v' } },
        redis: { redisClientConfig: { addr: '127.0.0.1:6379', db: 2, poolsize: 30, minIdleConns: 31 } },
        TDEngine: { TDEngineClientConfig: { addr: '127.0.0.1:6041', dbName: 'd' } },
        mysql: { mysqlClientConfig: { Addr: '127.0.0.1:3306', Database: 'd', UserName: 'u' } },
      },
      anomalyDetection: { algorithm: 'zscore', window: 10 },
    };
    const of = (method: Record<string, unknown>): DmiDevice => sent(device('d', '1', { properties: [{ name: 'p', pushMethod: method }] }));
    const got = of(pushMethod).spec?.properties[0]?.pushMethod;
    expect(got).toMatchObject({
      http: { hostname: 'http://127.0.0.1', port: 8080, requestpath: '/in', timeout: 5 },
      mqtt: { address: 'tcp://127.0.0.1:1883', topic: 't/a', qos: 1, retained: true },
      otel: { endpointURL: 'http://127.0.0.1:4318/v1/metrics' },
      dbMethod: {
        influxdb2: { influxdb2ClientConfig: { url: 'http://127.0.0.1:8086', org: 'o', bucket: 'b' }, influxdb2DataConfig: { measurement: 'm', tag: { unit: 'C' }, fieldKey: 'v' } },
        redis: { redisClientConfig: { addr: '127.0.0.1:6379', db: 2, poolsize: 30, minIdleConns: 31 } },
        tdengine: { tdEngineClientConfig: { addr: '127.0.0.1:6041', dbname: 'd' } },
        mysql: { mysqlClientConfig: { addr: '127.0.0.1:3306', database: 'd', userName: 'u' } },
      },
    });
    expect(values(got?.anomalyDetection)).toEqual({ algorithm: 'zscore', window: 10 });
    const lower = JSON.parse(JSON.stringify(pushMethod).replaceAll(/"([A-Za-z0-9]+)":/g, (_, key: string) => `"${key.toLowerCase()}":`)) as Record<string, unknown>;
    expect(of(lower)).toEqual(of(pushMethod));
    expect(of({ mqtt: { topic: 5, qos: 1.5 }, http: 'x' }).spec?.properties[0]?.pushMethod).toMatchObject({ mqtt: { topic: '', qos: 0 }, http: undefined });
  });

  it('[dmi-8.5] the report of the state comes from the spec, from the status of older clouds where the spec has none', () => {
    const old = { ...device(), status: { reportToCloud: true, reportCycle: 7, twins: [{ propertyName: 'p', observedDesired: { value: '1' }, reported: { value: '2', metadata: { type: 'int' } } }] } };
    expect(sent(old).status).toMatchObject({ reportToCloud: true, reportCycle: 7, twins: [{ propertyName: 'p', observedDesired: { value: '1' }, reported: { value: '2', metadata: { type: 'int' } } }] });
    const both = { ...old, spec: { ...old.spec, stateReport: { reportToCloud: false, reportCycle: 9 } } };
    expect(sent(both).status).toMatchObject({ reportToCloud: false, reportCycle: 9 });
  });

  it('[dmi-8.6] the settings of the model are defaults, key by key; the name of a visitor\'s protocol is the model\'s', () => {
    const general = model('thermo-model', {
      protocolConfigData: { baudRate: 9600, parity: 'none' },
      properties: [{ name: 'temperature', visitors: { protocolName: 'model-protocol', configData: { register: 'HoldingRegister', offset: 1 } } }, { name: 'other' }],
    });
    const merged = mergeModel(device('d', '1', { protocol: { protocolName: 'modbus', configData: { parity: 'even', slaveID: 1 } } }), general);
    expect(merged.spec.protocol).toEqual({ protocolName: 'modbus', configData: { baudRate: 9600, parity: 'even', slaveID: 1 } });
    expect(merged.spec.properties?.[0]?.visitors).toEqual({ protocolName: 'model-protocol', configData: { register: 'HoldingRegister', offset: 2 } });
    expect(merged.spec.properties).toHaveLength(1);
    expect(mergeModel(device(), model()).spec.properties).toEqual(device().spec.properties);
  });

  it('[dmi-8.7] a device without model is said to be one', () => {
    expect(() => modelOf(device('d', '1', { deviceModelRef: {} }), new Map())).toThrow('it names no model in spec.deviceModelRef.name');
    expect(() => modelOf(device(), new Map())).toThrow('its model default/thermo-model is not on this node');
  });

  it('[dmi-8.8] a model', () => {
    expect(dmiModel(model('m', { properties: [{ name: 'p', description: 'd', type: 'INT', accessMode: 'ReadOnly', minimum: '1', maximum: '2', unit: 'C' }, { name: 'q' }] }))).toEqual({
      name: 'm',
      namespace: 'default',
      spec: {
        properties: [
          { name: 'p', description: 'd', type: 'INT', accessMode: 'ReadOnly', minimum: '1', maximum: '2', unit: 'C' },
          { name: 'q', description: '', type: '', accessMode: '', minimum: '', maximum: '', unit: '' },
        ],
        commands: [],
      },
    });
  });
});
