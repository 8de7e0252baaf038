import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeMessage, encodeMessage } from './codec.js';
import { createErrorResponse, createMessage, createResponse } from './message.js';

const recorded = ['03-configmap-update', '10-restart-with-certs'].flatMap((name) =>
  readFileSync(new URL(`../test/fixtures/${name}.jsonl`, import.meta.url), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { link: string; text?: string })
    .flatMap(({ link, text }) => (link === 'hub' && text ? [text] : [])),
);

describe('message codec', () => {
  it('[protocol-1.1] writes every recorded frame byte for byte as upstream wrote it', () => {
    expect(recorded.length).toBe(26);
    for (const text of recorded) expect(encodeMessage(decodeMessage(text)).trimEnd()).toBe(text.trimEnd());
  });

  it('[protocol-1.2] reads back whatever it writes', () => {
    const word = fc.string({ unit: 'binary', maxLength: 20 });
    const json = fc.jsonValue();
    fc.assert(
      fc.property(word, word, word, word, json, fc.option(word), (source, group, operation, resource, content, parentId) => {
        const message = createMessage({ source, group, operation, resource, content, ...(parentId ? { parentId } : {}) });
        expect(decodeMessage(encodeMessage(message))).toEqual(JSON.parse(JSON.stringify(message)));
      }),
    );
  });

  it('[protocol-1.3] is as lenient as Go: unknown keys, any case, missing members', () => {
    const message = decodeMessage('{"Header":{"MSG_ID":"a","x":1},"route":{"Operation":"insert"},"extra":[]}');
    expect(message).toEqual({ header: { id: 'a', timestamp: 0 }, route: { source: '', group: '', operation: 'insert', resource: '' }, content: null });
  });

  it.each([
    ['', 'is not JSON'],
    ['[]', 'message is [], it must be an object'],
    ['null', 'message is null, it must be an object'],
    ['{"header":1}', 'header is 1, it must be an object'],
    ['{"header":{"msg_id":7}}', 'header.msg_id is 7, it must be a string'],
    ['{"header":{"timestamp":"now"}}', 'header.timestamp is "now", it must be a number of milliseconds'],
    ['{"header":{"sync":"yes"}}', 'header.sync is "yes", it must be a boolean'],
    ['{"route":{"resource":{}}}', 'route.resource is {}, it must be a string'],
  ])('[protocol-1.4] refuses %j and names the member', (text, message) => {
    expect(() => decodeMessage(text)).toThrow(message);
  });

  it('[protocol-1.5] never throws anything but its own error, whatever comes', () => {
    const texts = fc.oneof(fc.string(), fc.json(), fc.record({ header: fc.jsonValue(), route: fc.jsonValue(), content: fc.jsonValue() }).map((value) => JSON.stringify(value)));
    fc.assert(
      fc.property(texts, (text) => {
        try {
          decodeMessage(text);
        } catch (error) {
          expect(error).toMatchObject({ name: 'ProtocolError' });
        }
      }),
    );
  });

  it('[protocol-1.6] an answer has the id of its question as parent and its route', () => {
    const question = createMessage({ source: 'edged', group: 'meta', operation: 'query', resource: 'default/configmap/a' });
    expect(createResponse(question, 'OK')).toMatchObject({ header: { parentId: question.header.id }, route: { ...question.route, operation: 'response' }, content: 'OK' });
    expect(createErrorResponse(question, 'no').route.operation).toBe('error');
  });
});
