import { isFields } from '@edge/protocol';
import { applyPatch, type Operation } from 'rfc6902';
import { copyData } from '../engine/data.js';
import { ApiError, badRequest } from '../errors.js';

const OPERATIONS = ['add', 'remove', 'replace', 'move', 'copy', 'test'];
/** A patch may double a value with every `copy`, so their number is limited. */
const MAX_OPERATIONS = 1000;
const MAX_COPIES = 20;
const MAX_COPIED = 64 * 1024 * 1024;

/** Applies an RFC 6902 patch to a copy. Throws BadRequest for a malformed patch, Invalid for one that does not fit. */
export function jsonPatch(target: object, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw badRequest('a JSON patch must be a list of operations');
  if (patch.length > MAX_OPERATIONS) throw badRequest(`a JSON patch may have at most ${MAX_OPERATIONS} operations`);
  for (const operation of patch) {
    if (!isFields(operation) || !OPERATIONS.includes(String(operation.op)) || typeof operation.path !== 'string') {
      throw badRequest(`not an operation of a JSON patch: ${JSON.stringify(operation).slice(0, 200)}`);
    }
    for (const pointer of [operation.path, operation.from]) {
      if (typeof pointer === 'string' && pointer.split('/').includes('__proto__')) throw badRequest('a JSON patch must not name __proto__');
    }
  }
  const copies = patch.filter((operation: Operation) => operation.op === 'copy').length;
  if (copies > MAX_COPIES) throw badRequest(`a JSON patch may have at most ${MAX_COPIES} copy operations`);
  if (copies > 0 && 2 ** copies * (JSON.stringify(target).length + JSON.stringify(patch).length) > MAX_COPIED) {
    throw badRequest(`a JSON patch with ${copies} copy operations could make more than ${MAX_COPIED} bytes of this object`);
  }
  const holder = { document: copyData(target) as unknown };
  // Below a holder, so that an operation on the whole document (path "") works as well.
  const prefixed = patch.map((operation: Operation & { from?: string }) => ({
    ...copyData(operation), path: `/document${operation.path}`, ...(operation.from === undefined ? {} : { from: `/document${operation.from}` }),
  }));
  const errors = applyPatch(holder, prefixed as Operation[]);
  const at = errors.findIndex((error) => error !== null);
  if (at >= 0) {
    throw new ApiError('Invalid', `operation ${at} of the JSON patch (${String(patch[at].op)} ${String(patch[at].path)}) does not fit: ${errors[at]?.message ?? errors[at]?.name ?? ''}`);
  }
  return holder.document;
}
