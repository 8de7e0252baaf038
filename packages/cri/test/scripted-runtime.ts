import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Server, ServerCredentials, status, type MethodDefinition, type handleServerStreamingCall, type handleUnaryCall, type ServerUnaryCall } from '@grpc/grpc-js';
import type { MessageFns } from '../src/generated/api.js';
import { ImageServiceDefinition, RuntimeServiceDefinition } from '../src/generated/api.js';
import { EventsDefinition, type Envelope, type SubscribeRequest } from '../src/generated/events.js';

type Methods = typeof RuntimeServiceDefinition.methods & typeof ImageServiceDefinition.methods;
type RequestOf<Name extends keyof Methods> = Methods[Name]['requestType'] extends MessageFns<infer Request> ? Request : never;
type ResponseOf<Name extends keyof Methods> = Methods[Name]['responseType'] extends MessageFns<infer Response> ? Response : never;
type Call<Name extends keyof Methods> = ServerUnaryCall<RequestOf<Name>, ResponseOf<Name>>;

/** What the calls answer; those left out are not implemented. `events` and `containerdEvents` serve the streams of events. */
export type Script = {
  [Name in Exclude<keyof Methods, 'getContainerEvents'>]?: (request: RequestOf<Name>, call: Call<Name>) => ResponseOf<Name> | Promise<ResponseOf<Name>>;
} & {
  readonly events?: handleServerStreamingCall<RequestOf<'getContainerEvents'>, ResponseOf<'getContainerEvents'>>;
  readonly containerdEvents?: handleServerStreamingCall<SubscribeRequest, Envelope>;
};

/** Fails a call as a runtime does. */
export class Refusal extends Error {
  constructor(
    readonly code: status,
    readonly details: string,
  ) {
    super(details);
  }
}

/** A real gRPC server on a real socket whose answers a test writes. */
export class ScriptedRuntime implements AsyncDisposable {
  #server: Server | undefined;

  private constructor(
    readonly folder: string,
    readonly socket: string,
  ) {}

  static async start(script: Script, services: readonly string[] = ['runtime.v1.RuntimeService', 'runtime.v1.ImageService']): Promise<ScriptedRuntime> {
    const folder = await mkdtemp(join(tmpdir(), 'cri-'));
    const runtime = new ScriptedRuntime(folder, join(folder, 'cri.sock'));
    await runtime.serve(script, services);
    return runtime;
  }

  async serve(script: Script, services: readonly string[] = ['runtime.v1.RuntimeService', 'runtime.v1.ImageService']): Promise<void> {
    const server = new Server({ 'grpc.max_receive_message_length': -1 });
    for (const service of services) {
      const { methods } = service.endsWith('ImageService') ? ImageServiceDefinition : RuntimeServiceDefinition;
      const wanted = Object.entries(methods).filter(([name]) => (name === 'getContainerEvents' ? script.events : script[name as keyof Script]));
      if (wanted.length === 0) continue;
      server.addService(
        Object.fromEntries(wanted.map(([name, method]) => [name, describe(service, method)])),
        Object.fromEntries(wanted.map(([name]) => [name, name === 'getContainerEvents' ? script.events : unary(script[name as keyof Script])])) as Record<string, handleUnaryCall<unknown, unknown>>,
      );
    }
    if (script.containerdEvents) {
      server.addService({ subscribe: describe(EventsDefinition.fullName, EventsDefinition.methods.subscribe) }, { subscribe: script.containerdEvents });
    }
    await new Promise<void>((resolve, reject) => server.bindAsync(`unix://${this.socket}`, ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve())));
    this.#server = server;
  }

  /** As a runtime that is killed: all connections break, the socket is gone. */
  async stop(): Promise<void> {
    this.#server?.forceShutdown();
    await rm(this.socket, { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true });
  }
}

/** The answer to the first question of a client. */
export const containerd2 = { version: () => ({ version: '0.1.0', runtimeName: 'containerd', runtimeVersion: 'v2.1.0', runtimeApiVersion: 'v1' }) } satisfies Script;

function describe(service: string, method: Methods[keyof Methods] | typeof EventsDefinition.methods.subscribe): MethodDefinition<unknown, unknown> {
  const codec = <T>(type: MessageFns<T>): { serialize: (value: T) => Buffer; deserialize: (bytes: Buffer) => T } => ({
    serialize: (value) => Buffer.from(type.encode(value).finish()),
    deserialize: (bytes) => type.decode(bytes),
  });
  const request = codec(method.requestType as MessageFns<unknown>);
  const response = codec(method.responseType as MessageFns<unknown>);
  return {
    path: `/${service}/${method.name}`,
    requestStream: method.requestStream,
    responseStream: method.responseStream,
    requestSerialize: request.serialize,
    requestDeserialize: request.deserialize,
    responseSerialize: response.serialize,
    responseDeserialize: response.deserialize,
  };
}

function unary(handler: unknown): handleUnaryCall<unknown, unknown> {
  return (call, answer) => {
    const answering = async (): Promise<unknown> => (handler as (request: unknown, call: unknown) => unknown)(call.request, call);
    answering().then(
      (response) => answer(null, response),
      (error: unknown) => answer(error instanceof Refusal ? { code: error.code, details: error.details } : { code: status.INTERNAL, details: String(error) }),
    );
  };
}
