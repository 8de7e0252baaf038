import type { IncomingMessage } from 'node:http';
import { depthOf } from '../engine/data.js';
import { ApiError, badRequest } from '../errors.js';
import { decodeProtobuf, PROTOBUF } from '../protobuf/decode.js';
import { parseYaml } from './yaml-body.js';

/** Deeper nesting is no Kubernetes object; refusing it keeps recursion shallow everywhere else. */
const MAX_DEPTH = 200;

/** Reads the whole body. Throws RequestEntityTooLarge as soon as the limit is passed. */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  const tooLarge = new ApiError('RequestEntityTooLarge', `the body has more than ${limit} bytes`);
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw tooLarge;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Media type without parameters, in lower case. */
export function mediaType(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** Parses JSON or YAML. Throws BadRequest or UnsupportedMediaType. */
export async function parseBody(body: Buffer, type: string): Promise<unknown> {
  if (type === '' || type === 'application/json' || type.endsWith('+json')) return checkDepth(parseJson(body));
  if (type === 'application/yaml' || type.endsWith('+yaml')) return checkDepth(await parseYaml(body, MAX_DEPTH));
  if (type === PROTOBUF) return checkDepth(decodeProtobuf(body));
  throw new ApiError('UnsupportedMediaType', `content type ${type} is not understood: send application/json or application/yaml`);
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (cause) {
    throw new ApiError('BadRequest', `the body is not JSON: ${(cause as Error).message}`, {}, { cause });
  }
}

function checkDepth(value: unknown): unknown {
  if (depthOf(value, MAX_DEPTH) >= MAX_DEPTH) throw badRequest(`the body is nested deeper than ${MAX_DEPTH} levels`);
  return value;
}
