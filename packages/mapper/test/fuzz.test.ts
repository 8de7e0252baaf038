import fc from 'fast-check';
import { Client, credentials } from '@grpc/grpc-js';
import { expect, it } from 'vitest';
import { Device, DeviceMapperServiceDefinition, DeviceModel, valueOf } from '@edge/protocol/dmi';
import { parseDevice } from '../src/device/parse-device.js';
import { testDevice } from '../src/testing/index.js';
import { bench, eventually, TableDriver } from './support.js';

const { methods, fullName } = DeviceMapperServiceDefinition;
const here = bench();

it('[mapper-2.12] requests of random bytes and random content are answered and stop nothing', { timeout: 60_000 }, async () => {
  await here.edgeCore.start();
  const { device, model } = testDevice({ properties: { temperature: {} } });
  await here.edgeCore.add(device, model);
  const driver = new TableDriver();
  const mapper = await here.start(driver);
  await eventually(() => expect(here.edgeCore.reported('dev1', 'temperature')).toBeDefined());
  const client = new Client(`unix:${here.socketPath}`, credentials.createInsecure(), { 'grpc.default_authority': 'localhost' });
  const send = (method: string, bytes: Uint8Array): Promise<void> =>
    new Promise((resolve) => {
      client.makeUnaryRequest(`/${fullName}/${method}`, (body: Buffer) => body, (body: Buffer) => body, Buffer.from(bytes), { deadline: Date.now() + 20_000 }, () => resolve());
    });
  const valid = [Buffer.from(Device.encode(device).finish()), Buffer.from(DeviceModel.encode(model).finish())];
  // Bytes of which most decode: a message with some of its bytes exchanged.
  const nearly = fc.tuple(fc.constantFrom(...valid), fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 4 })).map(([bytes, changes]) => {
    const copy = Buffer.concat([Buffer.from([10, bytes.length & 127]), bytes]);
    for (const [at, byte] of changes) if (at < copy.length) copy[at] = byte;
    return new Uint8Array(copy);
  });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...Object.values(methods).map(({ name }) => name)), fc.oneof(fc.uint8Array({ maxLength: 200 }), nearly), async (method, bytes) => {
      await send(method, bytes);
    }),
    { numRuns: 400 },
  );
  client.close();
  // It works on, for the device that stood and for another.
  const { length } = here.edgeCore.registrations;
  const other = testDevice({ name: 'after', model: 'after', properties: { temperature: {} } });
  await here.edgeCore.add(other.device, other.model);
  await eventually(() => expect(here.edgeCore.reported('after', 'temperature')).toBeDefined());
  expect(here.edgeCore.registrations).toHaveLength(length);
  expect(mapper.health().registered).toBe(true);
});

it('[mapper-2.13] any device that the wire can carry is parsed or refused by a code', () => {
  const text = fc.oneof(fc.string({ maxLength: 10 }), fc.constantFrom('INT', 'temperature', '5', '__proto__', 'constructor'));
  const any = fc.record({ typeUrl: fc.constantFrom('type.googleapis.com/google.protobuf.StringValue', 'type.googleapis.com/google.protobuf.FloatValue', 'x', ''), value: fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes)) });
  const config = fc.option(fc.record({ data: fc.dictionary(text, any, { maxKeys: 3 }) }), { nil: undefined });
  const protocol = fc.option(fc.record({ protocolName: text, configData: config }), { nil: undefined });
  const property = fc.record({ name: text, desired: fc.option(fc.record({ value: text, metadata: fc.constant({}) }), { nil: undefined }), visitors: protocol, reportCycle: fc.integer(), collectCycle: fc.integer(), reportToCloud: fc.boolean(), pushMethod: fc.constant(undefined) });
  const spec = fc.option(fc.record({ deviceModelReference: text, protocol, properties: fc.array(property, { maxLength: 3 }), methods: fc.constant<NonNullable<Device['spec']>['methods']>([]) }), { nil: undefined });
  const device = fc.record({ name: text, namespace: text, status: fc.constant(undefined), spec });
  const model = fc.record({ name: text, namespace: text, spec: fc.option(fc.record({ commands: fc.constant<NonNullable<DeviceModel['spec']>['commands']>([]), properties: fc.array(fc.record({ name: text, description: text, type: text, accessMode: text, minimum: text, maximum: text, unit: text }), { maxLength: 3 }) }), { nil: undefined }) });
  fc.assert(
    fc.property(device, model, (wire, itsModel) => {
      try {
        const { device: parsed } = parseDevice(wire, itsModel, { collectMs: 1000, stateMs: 1000 });
        return parsed.properties.every(({ collectCycleMs, reportCycleMs }) => collectCycleMs > 0 && reportCycleMs > 0);
      } catch (error) {
        return (error as { code?: string }).code === 'mapper.bad-device';
      }
    }),
    { numRuns: 500 },
  );
  expect(valueOf({ typeUrl: '', value: Buffer.alloc(0) })).toBeUndefined();
});
