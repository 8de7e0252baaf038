import { isAbsolute } from 'node:path';
import { status } from '@grpc/grpc-js';
import type { MapperInfo } from '@edge/protocol/dmi';
import { RpcError } from './server/rpc-error.js';
import { LONGEST_PATH_BYTES } from './server/socket.js';

const LONGEST_TEXT = 253;

/**
 * The registration, once it is found to be one.
 * @throws RpcError naming what is wrong, in upstream's words where upstream refuses it too
 */
export function checkedMapper(mapper: MapperInfo | undefined): MapperInfo {
  if (!mapper) throw new RpcError(status.UNKNOWN, 'fail to register mapper because the request names no mapper');
  const { name, protocol } = mapper;
  const refuse = (why: string): never => {
    throw new RpcError(status.UNKNOWN, `fail to register mapper ${name.slice(0, LONGEST_TEXT)} because ${why}`);
  };
  if (name === '') refuse('the name is nil');
  if (protocol === '') refuse('the protocol is nil');
  if (name.includes('/')) refuse('the name has a slash');
  if (name.length > LONGEST_TEXT || protocol.length > LONGEST_TEXT) refuse(`name or protocol is longer than ${LONGEST_TEXT} characters`);
  const socket = socketOf(mapper);
  if (!isAbsolute(socket) || socket.includes('\0')) refuse(`the address ${JSON.stringify(socket.slice(0, LONGEST_TEXT))} is not the absolute path of its socket`);
  if (mapper.address.length > LONGEST_PATH_BYTES) refuse(`the address is longer than the ${LONGEST_PATH_BYTES} bytes that the path of a socket can have`);
  return mapper;
}

/** Path of the socket that the mapper serves. */
export function socketOf(mapper: MapperInfo): string {
  return mapper.address.toString();
}
