import type { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';

interface MessageFns<T> {
  encode(message: T, writer?: BinaryWriter): BinaryWriter;
  decode(input: BinaryReader | Uint8Array, length?: number): T;
}

/** One call of a service, as the generated definitions describe it. */
export interface RpcMethod<Request, Response> {
  readonly name: string;
  readonly requestType: MessageFns<Request>;
  readonly responseType: MessageFns<Response>;
}

/** What grpc-js wants to know of a unary call. */
export interface MethodCodec<Request, Response> {
  readonly path: string;
  readonly requestStream: false;
  readonly responseStream: false;
  readonly requestSerialize: (message: Request) => Buffer;
  readonly requestDeserialize: (bytes: Buffer) => Request;
  readonly responseSerialize: (message: Response) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

/** @param service its full name, `v1beta1.DeviceManagerService` */
export function codec<Request, Response>(service: string, method: RpcMethod<Request, Response>): MethodCodec<Request, Response> {
  return {
    path: `/${service}/${method.name}`,
    requestStream: false,
    responseStream: false,
    requestSerialize: serialize(method.requestType),
    requestDeserialize: (bytes) => method.requestType.decode(bytes),
    responseSerialize: serialize(method.responseType),
    responseDeserialize: (bytes) => method.responseType.decode(bytes),
  };
}

function serialize<T>(type: MessageFns<T>): (message: T) => Buffer {
  return (message) => {
    const { buffer, byteOffset, byteLength } = type.encode(message).finish();
    return Buffer.from(buffer, byteOffset, byteLength);
  };
}
