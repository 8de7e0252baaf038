import type { IncomingMessage } from 'node:http';
import { expect, it } from 'vitest';
import { forwardedHeaders } from './kubelet-request.js';

const asked = (...rawHeaders: string[]): IncomingMessage => ({ rawHeaders, socket: { remoteAddress: '::ffff:192.0.2.1' } }) as unknown as IncomingMessage;

it('[minicloud-14.5] nodes get the headers of a caller, but not what shows who it is', () => {
  const token = 'base64url.bearer.authorization.k8s.io.c2VjcmV0';
  expect(forwardedHeaders(asked('connection', 'Upgrade', 'AUTHORIZATION', 'Bearer secret', 'Cookie', 'a=secret', 'Impersonate-Extra-Scopes', 'secret', 'sec-websocket-protocol', `${token}, v4.channel.k8s.io`))).toEqual({
    Connection: ['Upgrade'], 'Sec-Websocket-Protocol': ['v4.channel.k8s.io'], 'X-Forwarded-For': ['192.0.2.1'],
  });
  expect(forwardedHeaders(asked('Sec-WebSocket-Protocol', token))).toEqual({ 'X-Forwarded-For': ['192.0.2.1'] });
});
