import type { AnomalyDetection, DBMethod, PushMethod } from '@edge/protocol/dmi';
import { isFields } from '@edge/protocol';
import { configData, type NestedConfig } from './config-values.js';
import { FieldReader } from './fields.js';

/** How a mapper passes on the values of a property; undefined when the object says nothing. Keys come in several cases. */
export function pushMethod(value: unknown, nested: NestedConfig, where: string): PushMethod | undefined {
  if (!isFields(value)) return undefined;
  const fields = new FieldReader(value);
  return {
    http: fields.object('http', (http) => ({
      hostname: http.text('hostName'),
      port: http.whole('port'),
      requestpath: http.text('requestPath'),
      timeout: http.whole('timeout'),
    })),
    mqtt: fields.object('mqtt', (mqtt) => ({ address: mqtt.text('address'), topic: mqtt.text('topic'), qos: mqtt.whole32('qos'), retained: mqtt.flag('retained') })),
    dbMethod: fields.object('dbMethod', dbMethod),
    otel: fields.object('otel', (otel) => ({ endpointURL: otel.text('endpointURL') })),
    anomalyDetection: anomalyDetection(fields.get('anomalyDetection'), nested, `${where}.anomalyDetection`),
  };
}

function anomalyDetection(value: unknown, nested: NestedConfig, where: string): AnomalyDetection | undefined {
  return isFields(value) ? configData(value, nested, where) : undefined;
}

function dbMethod(fields: FieldReader): DBMethod {
  return {
    influxdb2: fields.object('influxdb2', (influxdb2) => ({
      influxdb2ClientConfig: influxdb2.object('influxdb2ClientConfig', (client) => ({ url: client.text('url'), org: client.text('org'), bucket: client.text('bucket') })),
      influxdb2DataConfig: influxdb2.object('influxdb2DataConfig', (data) => ({
        measurement: data.text('measurement'),
        tag: data.texts('tag'),
        fieldKey: data.text('fieldKey'),
      })),
    })),
    redis: fields.object('redis', (redis) => ({
      redisClientConfig: redis.object('redisClientConfig', (client) => ({
        addr: client.text('addr'),
        db: client.whole32('db'),
        poolsize: client.whole32('poolsize'),
        minIdleConns: client.whole32('minIdleConns'),
      })),
    })),
    tdengine: fields.object('TDEngine', (tdengine) => ({
      tdEngineClientConfig: tdengine.object('TDEngineClientConfig', (client) => ({ addr: client.text('addr'), dbname: client.text('dbName') })),
    })),
    mysql: fields.object('mysql', (mysql) => ({
      mysqlClientConfig: mysql.object('mysqlClientConfig', (client) => ({ addr: client.text('addr'), database: client.text('database'), userName: client.text('userName') })),
    })),
  };
}
