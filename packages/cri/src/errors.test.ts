import { status } from '@grpc/grpc-js';
import { expect, it } from 'vitest';
import { callError, CriErrors } from './errors.js';

const where = { socket: '/run/x.sock', call: 'ListImages', timeoutMs: 1000, late: false };

it.each([
  ['connect ENOENT /run/x.sock', 'there is no such socket'],
  ['connect ECONNREFUSED /run/x.sock', 'nobody listens there'],
  ['connect EACCES /run/x.sock', 'the agent has to run as root'],
  ['Connection dropped', 'Connection dropped'],
])('[cri-1.12] a connection that fails with "%s" is explained: %s', (reason, words) => {
  const error = callError({ code: status.UNAVAILABLE, details: `No connection established. Last error: Error: ${reason}` }, where);
  expect(error.code).toBe(CriErrors.unavailable);
  expect(error.message).toContain('no container runtime answers at /run/x.sock (ListImages): ');
  expect(error.message).toContain(words);
});

it('[cri-1.13] a time-out inside the runtime is an answer, one of the call is not', () => {
  const failure = { code: status.DEADLINE_EXCEEDED, details: 'context deadline exceeded' };
  expect(callError(failure, where).code).toBe(CriErrors.failed);
  expect(callError(failure, { ...where, late: true }).code).toBe(CriErrors.timeout);
  expect(callError(failure, { ...where, call: 'ExecSync' }).code).toBe(CriErrors.execTimeout);
});
