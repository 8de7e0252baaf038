import { Client, connectivityState, credentials, status, type ServiceError } from '@grpc/grpc-js';
import { DeviceManagerServiceDefinition, type MapperInfo, type MapperRegisterResponse, type Twin } from '@edge/protocol/dmi';
import { MapperError, MapperErrors } from '../errors.js';
import { codec, type RpcMethod } from './codec.js';

const { methods, fullName } = DeviceManagerServiceDefinition;

/**
 * The connection to EdgeCore's DeviceManagerService; the only place that knows gRPC's client. It connects at the first
 * call and again after each loss. No call is repeated by itself.
 */
export class EdgeCoreClient implements Disposable {
  readonly #socket: string;
  readonly #client: Client;
  readonly #timeoutMs: number;
  #closed = false;

  constructor(deps: { readonly socket: string; readonly timeoutMs: number }) {
    this.#socket = deps.socket;
    this.#timeoutMs = deps.timeoutMs;
    this.#client = new Client(`unix:${deps.socket}`, credentials.createInsecure(), {
      // The path as authority, the default, is refused by HTTP/2 servers of Node.js.
      'grpc.default_authority': 'localhost',
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 500,
      // All devices of a protocol come in one answer.
      'grpc.max_receive_message_length': 64 * 1024 * 1024,
      'grpc.use_local_subchannel_pool': 1,
    });
  }

  /**
   * Tells EdgeCore of the mapper and asks for its devices and models.
   * @throws MapperError `mapper.edgecore-away`, `mapper.edgecore-refused`
   */
  register(mapper: MapperInfo): Promise<MapperRegisterResponse> {
    return this.#call(methods.mapperRegister, { withData: true, mapper });
  }

  /** @throws MapperError as `register`; `mapper.report-refused` */
  async reportStatus(namespace: string, name: string, twins: Twin[]): Promise<void> {
    await this.#call(methods.reportDeviceStatus, { deviceName: name, deviceNamespace: namespace, reportedDevice: { twins, reportToCloud: false, reportCycle: 0 } });
  }

  /** @throws MapperError as `register`; `mapper.report-refused` */
  async reportState(namespace: string, name: string, state: string): Promise<void> {
    await this.#call(methods.reportDeviceStates, { deviceName: name, deviceNamespace: namespace, state });
  }

  /** Waits for the loss of the connection that stands now: true when it is lost, or there is none; false after the time. */
  async lost(withinMs: number): Promise<boolean> {
    const channel = this.#client.getChannel();
    const deadline = Date.now() + withinMs;
    while (!this.#closed && channel.getConnectivityState(false) === connectivityState.READY) {
      const late = await new Promise<boolean>((resolve) => channel.watchConnectivityState(connectivityState.READY, deadline, (error) => resolve(error !== undefined)));
      if (late) return false;
    }
    return true;
  }

  /** Calls under way fail with `mapper.edgecore-away`, later ones with `mapper.stopped`. */
  [Symbol.dispose](): void {
    this.#closed = true;
    this.#client.close();
  }

  #call<Request, Response>(method: RpcMethod<Request, Response>, request: Request): Promise<Response> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new MapperError(MapperErrors.stopped, `${method.name}: the mapper was stopped`));
      const { path, requestSerialize, responseDeserialize } = codec(fullName, method);
      this.#client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, { deadline: Date.now() + this.#timeoutMs }, (error: ServiceError | null, response?: Response) => {
        if (error) reject(this.#error(error, method.name));
        else resolve(response as Response);
      });
    });
  }

  #error(error: ServiceError, method: string): MapperError {
    const away = error.code === status.UNAVAILABLE || error.code === status.DEADLINE_EXCEEDED || error.code === status.CANCELLED;
    const refused = error.code === status.INVALID_ARGUMENT ? MapperErrors.reportRefused : MapperErrors.edgeCoreRefused;
    const code = away ? MapperErrors.edgeCoreAway : refused;
    return new MapperError(code, away ? `${method}: EdgeCore does not answer at ${this.#socket} (${error.details})` : `${method}: EdgeCore says: ${error.details}`);
  }
}
