import { rmSync } from 'node:fs';
import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import {
  anyOf,
  DeviceManagerServiceDefinition,
  DeviceMapperServiceDefinition,
  type ConfigValue,
  type Device,
  type DeviceModel,
  type MapperInfo,
  type ReportDeviceStatesRequest,
  type ReportDeviceStatusRequest,
} from '@edge/protocol/dmi';
import { MapperError, MapperErrors } from '../errors.js';
import { codec, type RpcMethod } from '../grpc/codec.js';
import { handler, SocketServer } from '../grpc/socket-server.js';

const manager = DeviceManagerServiceDefinition;
const { methods: mapperMethods, fullName: mapperService } = DeviceMapperServiceDefinition;

/**
 * An EdgeCore's side of the Device Mapper Interface for tests of mappers: it takes registrations and reports, keeps them
 * for the test to look at, and calls the mapper as EdgeCore does.
 */
export class TestEdgeCore implements AsyncDisposable {
  readonly socket: string;
  readonly registrations: MapperInfo[] = [];
  readonly statuses: ReportDeviceStatusRequest[] = [];
  readonly states: ReportDeviceStatesRequest[] = [];
  readonly devices = new Map<string, Device>();
  readonly models = new Map<string, DeviceModel>();
  /** What calls of the mapper are answered with an error, if any. */
  refuse: string | undefined;
  /** Properties whose values are refused, as those that a twin cannot hold; the others of a report are kept. */
  readonly badProperties = new Set<string>();
  /** Devices that the answer to a registration lacks, though EdgeCore has them. */
  leavesOut: (device: Device) => boolean = () => false;
  #server: SocketServer | undefined;
  #client: Client | undefined;
  #clientSocket = '';

  constructor(socket: string) {
    this.socket = socket;
  }

  async start(): Promise<void> {
    const answered = <Request, Response>(work: (request: Request) => Response) => (request: Request): Response => {
      if (this.refuse !== undefined) throw new Error(this.refuse);
      return work(request);
    };
    const { mapperRegister, reportDeviceStatus, reportDeviceStates } = manager.methods;
    this.#server = await SocketServer.open(this.socket, [
      handler(
        manager.fullName,
        mapperRegister,
        answered(({ mapper }) => {
          if (mapper) this.registrations.push(mapper);
          const deviceList = [...this.devices.values()].filter((device) => device.spec?.protocol?.protocolName === mapper?.protocol && !this.leavesOut(device));
          return { deviceList, modelList: deviceList.flatMap(({ namespace, spec }) => this.models.get(`${namespace}/${spec?.deviceModelReference}`) ?? []) };
        }),
      ),
      handler(manager.fullName, reportDeviceStatus, answered((request) => this.#takeStatus(request))),
      handler(manager.fullName, reportDeviceStates, answered((request) => (this.states.push(request), {}))),
    ]);
  }

  #takeStatus(request: ReportDeviceStatusRequest): Record<string, never> {
    const twins = request.reportedDevice?.twins ?? [];
    const good = twins.filter(({ propertyName }) => !this.badProperties.has(propertyName));
    if (good.length > 0 || twins.length === 0) this.statuses.push({ ...request, reportedDevice: request.reportedDevice && { ...request.reportedDevice, twins: good } });
    const bad = twins.find((twin) => !good.includes(twin));
    if (bad) throw new MapperError(MapperErrors.badValue, `${bad.propertyName}: the value of twin is refused`);
    return {};
  }

  /** Ends as a program that is killed: connections break. It can be started again. */
  async stop(): Promise<void> {
    this.#client?.close();
    this.#client = undefined;
    this.#clientSocket = '';
    await this.#server?.stop(0);
    this.#server = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.socket, { force: true });
  }

  /** A device with its model, told to the mapper when it is registered, as EdgeCore does. */
  async add(device: Device, model: DeviceModel): Promise<void> {
    this.models.set(`${model.namespace}/${model.name}`, model);
    this.devices.set(`${device.namespace}/${device.name}`, device);
    if (this.registrations.length === 0) return;
    await this.call(mapperMethods.createDeviceModel, { model });
    await this.call(mapperMethods.registerDevice, { device });
  }

  async update(device: Device): Promise<void> {
    this.devices.set(`${device.namespace}/${device.name}`, device);
    await this.call(mapperMethods.updateDevice, { device });
  }

  /** The model first, then the device: EdgeCore's order. */
  async remove({ name, namespace, spec }: Device): Promise<void> {
    const model = spec?.deviceModelReference ?? '';
    this.devices.delete(`${namespace}/${name}`);
    await this.call(mapperMethods.removeDeviceModel, { modelName: model, modelNamespace: namespace });
    await this.call(mapperMethods.removeDevice, { deviceName: name, deviceNamespace: namespace });
  }

  /** One call of the mapper that registered last. */
  call<Request, Response>(method: RpcMethod<Request, Response>, request: Request): Promise<Response> {
    const address = this.registrations.at(-1)?.address.toString() ?? '';
    if (!this.#client || this.#clientSocket !== address) {
      this.#client?.close();
      this.#client = new Client(`unix:${address}`, credentials.createInsecure(), { 'grpc.default_authority': 'localhost', 'grpc.use_local_subchannel_pool': 1 });
      this.#clientSocket = address;
    }
    const client = this.#client;
    const { path, requestSerialize, responseDeserialize } = codec(mapperService, method);
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, { deadline: Date.now() + 10_000 }, (error: ServiceError | null, response?: Response) => (error ? reject(error) : resolve(response as Response)));
    });
  }

  /** The value of a property that was reported last. */
  reported(device: string, property: string): { readonly reported: string; readonly observedDesired: string } | undefined {
    for (const { deviceName, reportedDevice } of [...this.statuses].reverse()) {
      const twin = deviceName === device ? reportedDevice?.twins.find(({ propertyName }) => propertyName === property) : undefined;
      if (twin) return { reported: twin.reported?.value ?? '', observedDesired: twin.observedDesired?.value ?? '' };
    }
    return undefined;
  }

  /** The state of a device that was reported last. */
  state(device: string): string | undefined {
    return this.states.findLast(({ deviceName }) => deviceName === device)?.state;
  }
}

/** A property of a test's device: model and instance in one. */
export interface TestProperty {
  readonly type?: string;
  readonly accessMode?: string;
  readonly minimum?: string;
  readonly maximum?: string;
  readonly desired?: string;
  readonly collectCycle?: number;
  readonly reportCycle?: number;
  readonly reportToCloud?: boolean;
  readonly visitors?: Readonly<Record<string, ConfigValue>>;
  readonly pushMethod?: NonNullable<Device['spec']>['properties'][number]['pushMethod'];
}

export interface TestDevice {
  readonly name?: string;
  readonly namespace?: string;
  readonly model?: string;
  readonly protocol?: string;
  readonly config?: Readonly<Record<string, ConfigValue>>;
  readonly properties: Readonly<Record<string, TestProperty>>;
  readonly methods?: NonNullable<Device['spec']>['methods'];
  /** Milliseconds between two reports of the state; none are made without it. */
  readonly stateCycle?: number;
}

/** A device and its model as EdgeCore sends them, from the few things that a test cares about. */
export function testDevice({ name = 'dev1', namespace = 'default', model = 'model1', protocol = 'test', config = {}, properties, methods = [], stateCycle }: TestDevice): { readonly device: Device; readonly model: DeviceModel } {
  const data = (values: Readonly<Record<string, ConfigValue>>): { data: Record<string, ReturnType<typeof anyOf>> } => ({ data: Object.fromEntries(Object.entries(values).map(([key, value]) => [key, anyOf(value)])) });
  return {
    device: {
      name,
      namespace,
      spec: {
        deviceModelReference: model,
        protocol: { protocolName: protocol, configData: data(config) },
        properties: Object.entries(properties).map(([property, { desired = '', collectCycle = 20, reportCycle = 0, reportToCloud = true, visitors = {}, pushMethod }]) => ({
          name: property,
          desired: { value: desired, metadata: {} },
          visitors: { protocolName: protocol, configData: data(visitors) },
          reportCycle,
          collectCycle,
          reportToCloud,
          pushMethod,
        })),
        methods,
      },
      status: { twins: [], reportToCloud: stateCycle !== undefined, reportCycle: stateCycle ?? 0 },
    },
    model: {
      name: model,
      namespace,
      spec: {
        properties: Object.entries(properties).map(([property, { type = 'INT', accessMode = 'ReadWrite', minimum = '', maximum = '' }]) => ({ name: property, description: '', type, accessMode, minimum, maximum, unit: '' })),
        commands: [],
      },
    },
  };
}
