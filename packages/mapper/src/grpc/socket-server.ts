import { chmodSync, lstatSync, mkdirSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { Server, ServerCredentials, status, type handleUnaryCall, type ServiceDefinition, type UntypedHandleCall, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { codeOf, errorText, MapperError, MapperErrors } from '../errors.js';
import { codec, type RpcMethod } from './codec.js';

/** A call of a service with what answers it. */
export interface Handler {
  readonly name: string;
  readonly definition: ServiceDefinition[string];
  readonly answer: UntypedHandleCall;
}

/** Pairs a call with what answers it; what `work` throws is the call's error. */
export function handler<Request, Response>(service: string, method: RpcMethod<Request, Response>, work: (request: Request) => Response | Promise<Response>): Handler {
  const answer: handleUnaryCall<Request, Response> = (call, respond) => {
    void (async () => await work(call.request))().then(
      (response) => respond(null, response),
      (error: unknown) => respond({ code: STATUS[codeOf(error) ?? ''] ?? status.UNKNOWN, details: errorText(error) }),
    );
  };
  return { name: method.name, definition: codec(service, method), answer };
}

/** A gRPC service on a unix socket; the only place that knows gRPC's server. */
export class SocketServer {
  readonly #server: Server;
  readonly #path: string;
  #stopped: Promise<void> | undefined;

  private constructor(server: Server, path: string) {
    this.#server = server;
    this.#path = path;
  }

  /**
   * Serves. What a program that ended without cleaning up left at the path is replaced.
   * @throws MapperError `mapper.socket-in-use`, `mapper.bad-socket`
   */
  static async open(path: string, handlers: readonly Handler[]): Promise<SocketServer> {
    await clear(path);
    const server = new Server({ 'grpc.max_receive_message_length': 64 * 1024 * 1024 });
    const definitions = handlers.map(({ name, definition }) => [name, definition]);
    const answers = handlers.map(({ name, answer }) => [name, answer]);
    server.addService(Object.fromEntries(definitions) as ServiceDefinition, Object.fromEntries(answers) as UntypedServiceImplementation);
    await new Promise<void>((resolve, reject) => {
      server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), (error) => {
        if (error) reject(new MapperError(MapperErrors.badSocket, `cannot listen at ${path}`, { cause: error }));
        else resolve();
      });
    });
    // Whoever may call it can write devices: the owner and the group, whatever the umask.
    chmodSync(path, 0o660);
    return new SocketServer(server, path);
  }

  /** Answers what is under way for at most the given time, then ends. The socket's file is gone afterwards. */
  stop(graceMs: number): Promise<void> {
    this.#stopped ??= new Promise<void>((resolve) => {
      const timer = setTimeout(() => this.#server.forceShutdown(), graceMs);
      this.#server.tryShutdown(() => {
        clearTimeout(timer);
        remove(this.#path);
        resolve();
      });
    });
    return this.#stopped;
  }
}

/** Makes room at the path. */
async function clear(path: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return;
  if (!found.isSocket()) throw new MapperError(MapperErrors.badSocket, `${path} is there and is no socket; remove it or choose another path`);
  if (await isServed(path)) throw new MapperError(MapperErrors.socketInUse, `another program serves at ${path}; is this mapper running already?`);
  remove(path);
}

function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

/** Everything else is UNKNOWN, which upstream's programs give for every error. */
const STATUS: Readonly<Record<string, status>> = {
  [MapperErrors.badDevice]: status.INVALID_ARGUMENT,
  [MapperErrors.badValue]: status.INVALID_ARGUMENT,
  [MapperErrors.unknownDevice]: status.NOT_FOUND,
};
