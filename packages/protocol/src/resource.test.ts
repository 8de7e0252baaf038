import { describe, expect, it } from 'vitest';
import { createMessage } from './message.js';
import { defineKind, isKind } from './kind.js';
import { errorStatus, readObjectResponse } from './replies.js';
import { formatResource, parseResource, resourceType } from './resource.js';

describe('resource paths', () => {
  it.each([
    ['default/pod/p', { namespace: 'default', type: 'pod', name: 'p' }],
    ['default/pod', { namespace: 'default', type: 'pod', name: '' }],
    ['null/node/edge-1', { namespace: 'null', type: 'node', name: 'edge-1' }],
    ['node/edge-1/default/pod/p', { namespace: 'default', type: 'pod', name: 'p' }],
  ])('[protocol-2.1] reads %s', (text, path) => {
    expect(parseResource(text)).toEqual(path);
    if (!text.startsWith('node/')) expect(formatResource(path)).toBe(text);
    expect(resourceType(text)).toBe(path.type);
  });

  it.each(['', 'pod', '/pod/p', 'default//p'])('[protocol-2.2] refuses %j', (text) => {
    expect(() => parseResource(text)).toThrow('is not <namespace>/<type>[/<name>]');
  });
});

describe('kinds', () => {
  const pod = defineKind('podChanged', { group: 'resource', operation: ['insert', 'update'], type: 'pod', answer: false });
  const message = createMessage({ source: 'edgecontroller', group: 'resource', operation: 'insert', resource: 'default/pod/p' });

  it('[protocol-3.1] recognises a message when every member of the pattern fits', () => {
    expect(isKind(pod, message)).toBe(true);
    expect(isKind(pod, createMessage({ ...message.route, operation: 'delete' }))).toBe(false);
    expect(isKind(pod, createMessage({ ...message.route, resource: 'default/podpatch/p' }))).toBe(false);
    expect(isKind(pod, createMessage({ ...message.route, parentId: 'x' }))).toBe(false);
  });
});

describe('answers of the cloud', () => {
  it('[protocol-4.1] tells objects from errors, also from errors whose text was lost', () => {
    expect(errorStatus({ ErrStatus: { code: 404, reason: 'NotFound' } })).toMatchObject({ code: 404 });
    expect(errorStatus({})).toMatchObject({ code: 500 });
    expect(errorStatus({ metadata: { name: 'a' } })).toBeUndefined();
    expect(errorStatus('OK')).toBeUndefined();
  });

  it.each([
    [{ Object: { metadata: { name: 'a' } }, Err: null }, undefined],
    [{ Object: null, Err: { ErrStatus: { code: 404 } } }, 404],
    [{ Object: { metadata: {} }, Err: { ErrStatus: { code: 409 } } }, 409],
    [{ Object: { metadata: {} }, Err: {} }, 500],
    [{ Object: null, Err: null }, 404],
    [{ ErrStatus: { code: 403 } }, 403],
    ['OK', 400],
  ])('[protocol-4.2] reads %j', (content, code) => {
    expect(readObjectResponse(content).error?.code).toBe(code);
  });

  it('[protocol-4.3] says what a network error of the cloud says, which is no API status', () => {
    const error = { Op: 'Patch', URL: 'https://10.0.0.1:6443/api/v1/nodes/n/status', Err: { Op: 'dial', Net: 'tcp' } };
    expect(readObjectResponse({ Object: { metadata: {} }, Err: error }).error).toMatchObject({ code: 500, message: expect.stringContaining('"Op":"dial"') as string });
  });
});
