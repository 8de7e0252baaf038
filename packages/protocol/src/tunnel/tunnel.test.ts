import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { decodeConnect, encodeConnect } from './connect.js';
import { decodeFrame, encodeFrame, FrameTypes } from './frame.js';

interface Line {
  readonly dir?: string;
  readonly base64?: string;
}

const recorded: readonly Buffer[] = readFileSync(new URL('../../test/fixtures/02-tunnel.jsonl', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line) as Line)
  .flatMap(({ base64 }) => (base64 === undefined ? [] : [Buffer.from(base64, 'base64')]));

it('[protocol-tunnel-1.1] takes recorded frames apart and makes the same bytes again', () => {
  expect(recorded.length).toBeGreaterThan(100);
  const types = new Set<number>();
  for (const bytes of recorded) {
    const { id, type, data } = decodeFrame(bytes);
    types.add(type);
    expect(encodeFrame(id, type, data)).toEqual(bytes);
  }
  expect([...types].sort()).toEqual([FrameTypes.logsConnect, FrameTypes.execConnect, FrameTypes.data, FrameTypes.removeConnect]);
});

it('[protocol-tunnel-1.2] reads recorded requests and writes them byte for byte', () => {
  const requests = recorded.map(decodeFrame).filter(({ type }) => type <= FrameTypes.execConnect);
  expect(requests).toHaveLength(3);
  for (const { id, data } of requests) expect(encodeConnect(decodeConnect(id, data)).toString()).toBe(Buffer.from(data).toString());
  expect(decodeConnect(6, requests[1]?.data as Uint8Array)).toMatchObject({
    id: 6, method: 'POST', path: '/exec/default/p1/c', query: 'command=echo&command=exec-ok&error=1&output=1',
    headers: { Upgrade: ['SPDY/3.1'], 'Content-Length': ['0'] },
  });
});

it('[protocol-tunnel-1.3] writes numbers of any size that can be counted', () => {
  expect(encodeFrame(300, FrameTypes.data, Buffer.from('hi\n')).toString('hex')).toBe('ac020368690a');
  for (const id of [0, 1, 127, 128, 16_383, 16_384, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
    expect(decodeFrame(encodeFrame(id, 6, new Uint8Array()))).toEqual({ id, type: 6, data: Buffer.alloc(0) });
  }
});

it('[protocol-tunnel-1.4] refuses numbers that are cut off or larger than can be counted', () => {
  for (const hex of ['', '80', '01', '0180', 'ffffffffffffffffff0103', 'ffffffffffffffffffffffff03', '01ffffffffffffffffff01']) {
    expect(() => decodeFrame(Buffer.from(hex, 'hex'))).toThrowError(/the number of the (session|type) is (cut off|larger)/);
  }
});

const connect = (url: unknown, more: object = {}): Buffer => Buffer.from(JSON.stringify({ MessID: 1, url, ...more }));

it('[protocol-tunnel-1.5] refuses requests that would break out of their place in HTTP, and shows no header', () => {
  const refused: [Buffer, RegExp][] = [
    [Buffer.from('{'), /not JSON/],
    [Buffer.from('[]'), /no url/],
    [Buffer.from('null'), /no url/],
    [connect({ Path: 'pods' }), /a path/],
    [connect({ Path: 5 }), /a string/],
    [connect({ Path: '\ud800' }), /it must be/],
    [connect({ RawPath: '/a b' }), /percent-encoded path/],
    [connect({ RawPath: '/a\r\nX: y' }), /percent-encoded path/],
    [connect({ Path: '/a', RawQuery: 'x=1 HTTP/1.1\r\n' }), /percent-encoded query/],
    [connect({ Path: '/a' }, { method: 'GET /x' }), /a method/],
    [connect({ Path: '/a' }, { header: { 'a b': ['c'] } }), /names of headers/],
    [connect({ Path: '/a' }, { header: [] }), /an object/],
    [connect({ Path: '/a' }, { header: { Authorization: ['secret\r\nX: y'] } }), /^header.Authorization of session 1 is not a list/],
  ];
  for (const [bytes, words] of refused) {
    expect(() => decodeConnect(1, bytes)).toThrowError(words);
  }
  expect(() => decodeConnect(1, connect({ Path: '/a' }, { header: { Authorization: ['secret\n'] } }))).not.toThrowError(/secret/);
});

it('[protocol-tunnel-1.6] encodes what is not plain in a path as Go does', () => {
  expect(decodeConnect(1, connect({ Path: '/logs/a b\u00fc?#%(1).txt' })).path).toBe('/logs/a%20b%C3%BC%3F%23%25%281%29.txt');
  const odd = { id: 1, path: '/logs/a%2Fb', query: '', headers: {} };
  expect(JSON.parse(encodeConnect(odd).toString())).toMatchObject({ url: { Path: '/logs/a/b', RawPath: '/logs/a%2Fb' } });
  expect(decodeConnect(1, encodeConnect(odd))).toEqual(odd);
});
