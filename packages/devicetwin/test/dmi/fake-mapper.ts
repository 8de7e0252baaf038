import { rm } from 'node:fs/promises';
import { Client, credentials, Server, ServerCredentials, status, type MethodDefinition, type ServiceError } from '@grpc/grpc-js';
import {
  DeviceManagerServiceDefinition,
  DeviceMapperServiceDefinition,
  type Device,
  type DeviceModel,
  type MapperRegisterResponse,
} from '@edge/protocol/dmi';

type ManagerMethods = typeof DeviceManagerServiceDefinition.methods;

interface Codec {
  encode(value: unknown): { finish(): Uint8Array };
  decode(bytes: Uint8Array): unknown;
}

/** One call that a mapper got. */
export interface HeardCall {
  readonly method: string;
  readonly request: Record<string, unknown>;
}

/** Fails a call as a Go mapper does. */
export class Refusal extends Error {
  constructor(
    readonly details: string,
    readonly code: status = status.UNKNOWN,
  ) {
    super(details);
  }
}

/** A mapper that behaves as upstream's framework: what it knows already it does not register again, models come before devices. */
export class FakeMapper implements AsyncDisposable {
  readonly devices = new Map<string, Device>();
  readonly models = new Map<string, DeviceModel>();
  /** Every call, in order, over all its lives. */
  readonly heard: HeardCall[] = [];
  /** Devices that were started; a restart of the same device counts again. */
  readonly starts: string[] = [];
  /** Devices that were started anew with the very spec that they had. */
  readonly needless: string[] = [];
  /** Runs before a call is handled; throws to refuse it, waits to delay it. */
  before: (call: HeardCall) => Promise<void> | void = () => undefined;
  #server: Server | undefined;

  constructor(readonly socket: string) {}

  get calls(): readonly string[] {
    return this.heard.map(({ method }) => method);
  }

  /** Starts to serve, with nothing in memory. */
  async serve(): Promise<void> {
    await rm(this.socket, { force: true });
    const server = new Server();
    const { methods, fullName } = DeviceMapperServiceDefinition;
    server.addService(
      Object.fromEntries(Object.entries(methods).map(([name, method]) => [name, definition(fullName, method)])),
      Object.fromEntries(
        Object.entries(methods).map(([name, method]) => [
          name,
          (call: { request: Record<string, unknown> }, answer: (error: Partial<ServiceError> | null, value?: unknown) => void) => {
            this.#handle({ method: method.name, request: call.request }).then(
              (value) => answer(null, value),
              (error: unknown) => answer(error instanceof Refusal ? { code: error.code, details: error.details } : { code: status.INTERNAL, details: String(error) }),
            );
          },
        ]),
      ),
    );
    await new Promise<void>((resolve, reject) => server.bindAsync(`unix://${this.socket}`, ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve())));
    this.#server = server;
  }

  /** As a mapper that is killed: the connections break, all is forgotten. */
  kill(): void {
    this.#server?.forceShutdown();
    this.#server = undefined;
    this.devices.clear();
    this.models.clear();
  }

  /** Registers, and takes what the answer has for its own, as the framework does. */
  async register(edgecore: string, mapper: { name?: string; protocol: string; withData?: boolean }): Promise<MapperRegisterResponse> {
    const { name = 'fake-mapper', protocol, withData = true } = mapper;
    const answer = await callManager(edgecore, 'mapperRegister', {
      withData,
      mapper: { name, protocol, version: 'v1.13.0', apiVersion: 'v1.0.0', address: Buffer.from(this.socket), state: 'ok' },
    });
    const { deviceList, modelList } = answer as MapperRegisterResponse;
    for (const model of modelList) this.models.set(idOf(model), model);
    for (const device of deviceList) this.#start(device);
    return answer as MapperRegisterResponse;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill();
    await rm(this.socket, { force: true });
  }

  async #handle(call: HeardCall): Promise<unknown> {
    this.heard.push(call);
    await this.before(call);
    const { method, request } = call;
    const device = request['device'] as Device;
    const model = request['model'] as DeviceModel;
    switch (method) {
      case 'RegisterDevice':
        if (!this.devices.has(idOf(device))) {
          this.#needModel(device);
          this.#start(device);
        }
        return { deviceName: device.name, deviceNamespace: device.namespace };
      case 'UpdateDevice':
        this.#needModel(device);
        this.#start(device);
        return {};
      case 'RemoveDevice':
        // The framework dies of the second removal of a device.
        if (!this.devices.delete(`${String(request['deviceNamespace'])}/${String(request['deviceName'])}`)) throw new Refusal('can not find device from device muxs');
        return {};
      case 'GetDevice':
        if (!this.devices.has(`${String(request['deviceNamespace'])}/${String(request['deviceName'])}`)) throw new Refusal('device not found');
        return { device: undefined };
      case 'CreateDeviceModel':
        this.models.set(idOf(model), model);
        return { deviceModelName: model.name, deviceModelNamespace: model.namespace };
      case 'UpdateDeviceModel':
        if (!this.models.has(idOf(model))) throw new Refusal(`update deviceModel ${model.name} failed, not existed`);
        this.models.set(idOf(model), model);
        return {};
      default:
        this.models.delete(`${String(request['modelNamespace'])}/${String(request['modelName'])}`);
        return {};
    }
  }

  #needModel(device: Device): void {
    if (!this.models.has(`${device.namespace}/${device.spec?.deviceModelReference ?? ''}`)) throw new Refusal(`deviceModel ${device.spec?.deviceModelReference ?? ''} not found`);
  }

  #start(device: Device): void {
    const before = this.devices.get(idOf(device));
    if (before && JSON.stringify(before) === JSON.stringify(device)) this.needless.push(idOf(device));
    this.devices.set(idOf(device), device);
    this.starts.push(idOf(device));
  }
}

function idOf({ namespace, name }: { namespace: string; name: string }): string {
  return `${namespace}/${name}`;
}

/** One call of a mapper to EdgeCore, over a connection of its own as upstream's framework makes it. Rejects with gRPC's error. */
export async function callManager(edgecore: string, name: keyof ManagerMethods, request: unknown, timeoutMs = 15_000): Promise<unknown> {
  const method = DeviceManagerServiceDefinition.methods[name];
  const bytes = await callRaw(edgecore, `/${DeviceManagerServiceDefinition.fullName}/${method.name}`, Buffer.from((method.requestType as Codec).encode(request).finish()), timeoutMs);
  return (method.responseType as Codec).decode(bytes);
}

/** A call whose request is any bytes. */
export async function callRaw(edgecore: string, path: string, request: Buffer, timeoutMs = 15_000): Promise<Buffer> {
  const client = new Client(`unix:${edgecore}`, credentials.createInsecure(), { 'grpc.default_authority': 'localhost', 'grpc.use_local_subchannel_pool': 1, 'grpc.max_send_message_length': -1, 'grpc.initial_reconnect_backoff_ms': 20, 'grpc.max_reconnect_backoff_ms': 200 });
  try {
    // Blocks until it is connected, as the framework's.
    await new Promise<void>((resolve, reject) => client.waitForReady(Date.now() + timeoutMs, (error) => (error ? reject(error) : resolve())));
    return await new Promise((resolve, reject) => {
      client.makeUnaryRequest(path, (value: Buffer) => value, (value: Buffer) => value, request, { deadline: Date.now() + timeoutMs }, (error, value) => (error ? reject(error) : resolve(value as Buffer)));
    });
  } finally {
    client.close();
  }
}

function definition(service: string, method: { name: string; requestType: unknown; responseType: unknown }): MethodDefinition<unknown, unknown> {
  const request = method.requestType as Codec;
  const response = method.responseType as Codec;
  return {
    path: `/${service}/${method.name}`,
    requestStream: false,
    responseStream: false,
    requestSerialize: (value) => Buffer.from(request.encode(value).finish()),
    requestDeserialize: (bytes) => request.decode(bytes),
    responseSerialize: (value) => Buffer.from(response.encode(value).finish()),
    responseDeserialize: (bytes) => response.decode(bytes),
  };
}
