import { Client, credentials, Server, ServerCredentials, type MethodDefinition, type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { DeviceManagerServiceDefinition, DeviceMapperServiceDefinition } from '@edge/protocol/dmi';
import { eventually } from './agent.js';

type Data = Readonly<Record<string, unknown>>;

/** A call that EdgeCore made. */
export interface MapperCall {
  readonly method: string;
  readonly request: Data;
}

/** A mapper that answers every call with an empty message and writes down what it was told. */
export interface FakeMapper extends AsyncDisposable {
  readonly calls: readonly MapperCall[];
  /** Calls EdgeCore; rejects with the status of gRPC. */
  call(method: 'MapperRegister' | 'ReportDeviceStatus' | 'ReportDeviceStates', request: unknown): Promise<Data>;
  /** Resolves when so many calls have come. */
  called(count: number, timeoutMs?: number): Promise<void>;
}

/** @param edgeSocket EdgeCore's socket; each call has a connection of its own, as with upstream's mappers */
export async function startFakeMapper(ownSocket: string, edgeSocket: string): Promise<FakeMapper> {
  const calls: MapperCall[] = [];
  const service = serviceOf(DeviceMapperServiceDefinition);
  const server = new Server();
  const handlers: UntypedServiceImplementation = {};
  for (const method of Object.keys(service)) {
    handlers[method] = (call: { request: Data }, done: (error: null, answer: Data) => void): void => {
      calls.push({ method, request: call.request });
      done(null, {});
    };
  }
  server.addService(service, handlers);
  await new Promise<void>((resolve, reject) => server.bindAsync(`unix:${ownSocket}`, ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve())));
  const manager = serviceOf(DeviceManagerServiceDefinition);
  return {
    calls,
    call: async (method, request) => {
      const { path, requestSerialize, responseDeserialize } = manager[method] as MethodDefinition<unknown, Data>;
      const client = new Client(`unix:${edgeSocket}`, credentials.createInsecure(), { 'grpc.default_authority': 'localhost', 'grpc.max_send_message_length': -1 });
      try {
        return await new Promise<Data>((resolve, reject) => {
          client.makeUnaryRequest(path, requestSerialize, responseDeserialize, completed(request), { deadline: Date.now() + 30_000 }, (error, answer) => (error ? reject(error) : resolve(answer ?? {})));
        });
      } finally {
        client.close();
      }
    },
    called: (count, timeoutMs = 30_000) => eventually(() => calls.length >= count, timeoutMs, () => `${calls.length} calls came, ${count} should: ${calls.map(({ method }) => method).join(', ')}`),
    [Symbol.asyncDispose]: async () => server.forceShutdown(),
  };
}

/** Numbers and flags that the encoder wants to see; a recording leaves out those that are zero. */
function completed(request: unknown): unknown {
  const { reportedDevice, ...rest } = request as { reportedDevice?: object };
  return { withData: false, ...rest, ...(reportedDevice ? { reportedDevice: { reportToCloud: false, reportCycle: 0, ...reportedDevice } } : {}) };
}

interface Codec {
  encode(message: unknown): { finish(): Uint8Array };
  decode(bytes: Uint8Array): unknown;
}
interface GenericService {
  readonly fullName: string;
  readonly methods: Readonly<Record<string, { readonly name: string; readonly requestType: unknown; readonly responseType: unknown }>>;
}

function serviceOf({ fullName, methods }: GenericService): ServiceDefinition {
  const serialize = (codec: Codec) => (message: unknown) => Buffer.from(codec.encode(message).finish());
  return Object.fromEntries(
    Object.values(methods).map(({ name, requestType, responseType }) => {
      const [request, response] = [requestType as Codec, responseType as Codec];
      const definition: MethodDefinition<unknown, unknown> = {
        path: `/${fullName}/${name}`,
        requestStream: false,
        responseStream: false,
        requestSerialize: serialize(request),
        requestDeserialize: (bytes) => request.decode(bytes),
        responseSerialize: serialize(response),
        responseDeserialize: (bytes) => response.decode(bytes),
      };
      return [name, definition];
    }),
  );
}
