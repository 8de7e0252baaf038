import { type handleUnaryCall, type MethodDefinition, Server } from '@grpc/grpc-js';
import { DeviceManagerServiceDefinition } from '@edge/protocol/dmi';
import type { ManagerHandlers } from './handlers.js';
import { wireError } from './rpc-error.js';

type Methods = typeof DeviceManagerServiceDefinition.methods;

interface Codec {
  encode(value: unknown): { finish(): Uint8Array };
  decode(bytes: Uint8Array): unknown;
}

/** Streams that one connection may have open. */
const MOST_STREAMS = 1024;

/** gRPC's server with the calls of mappers. Messages of more than 4 MiB are refused, as upstream. */
export function managerServer(handlers: ManagerHandlers): Server {
  const server = new Server({ 'grpc.max_concurrent_streams': MOST_STREAMS });
  const names = Object.keys(DeviceManagerServiceDefinition.methods) as (keyof Methods)[];
  server.addService(
    Object.fromEntries(names.map((name) => [name, definition(name)])),
    Object.fromEntries(names.map((name) => [name, unary((request) => (handlers[name] as (request: unknown) => Promise<unknown>).call(handlers, request))])),
  );
  return server;
}

function definition(name: keyof Methods): MethodDefinition<unknown, unknown> {
  const method = DeviceManagerServiceDefinition.methods[name];
  const request = method.requestType as Codec;
  const response = method.responseType as Codec;
  return {
    path: `/${DeviceManagerServiceDefinition.fullName}/${method.name}`,
    requestStream: false,
    responseStream: false,
    requestSerialize: (value) => Buffer.from(request.encode(value).finish()),
    requestDeserialize: (bytes) => request.decode(bytes),
    responseSerialize: (value) => Buffer.from(response.encode(value).finish()),
    responseDeserialize: (bytes) => response.decode(bytes),
  };
}

function unary(handle: (request: unknown) => Promise<unknown>): handleUnaryCall<unknown, unknown> {
  return (call, answer) => {
    handle(call.request).then(
      (response) => answer(null, response),
      (error: unknown) => answer(wireError(error)),
    );
  };
}
