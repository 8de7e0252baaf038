import { expect, it } from 'vitest';
import { ApiFault } from './answer.js';
import { faultAnswer } from './exchange.js';

it('[edged-29.51] what refuses a stream is an object that kubectl shows whole, and a line of text for everything else', () => {
  const fault = new ApiFault(500, 'no container runtime answers at /run/c.sock: nobody listens there');
  expect(faultAnswer(fault, false)).toEqual({ status: 500, body: 'no container runtime answers at /run/c.sock: nobody listens there\n' });
  const { status, type, body } = faultAnswer(fault, true);
  expect({ status, type }).toEqual({ status: 500, type: 'application/json' });
  expect(JSON.parse(String(body))).toEqual({
    kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', code: 500, message: 'no container runtime answers at /run/c.sock: nobody listens there',
  });
  expect(faultAnswer(new ApiFault(401, 'who is it'), true).headers).toEqual({ 'WWW-Authenticate': 'Bearer' });
});
