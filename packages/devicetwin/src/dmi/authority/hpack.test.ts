import { describe, expect, it } from 'vitest';
import { encodeHeaders, HpackDecoder } from './hpack.js';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
const pairs = (decoder: HpackDecoder, block: string): string[] => decoder.decode(hex(block)).map(({ name, value }) => `${name}: ${value}`);

const requests = [
  [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com'],
  [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com', 'cache-control: no-cache'],
  [':method: GET', ':scheme: https', ':path: /index.html', ':authority: www.example.com', 'custom-key: custom-value'],
];
const cookie = 'set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1';
const responses = [
  [':status: 302', 'cache-control: private', 'date: Mon, 21 Oct 2013 20:13:21 GMT', 'location: https://www.example.com'],
  [':status: 307', 'cache-control: private', 'date: Mon, 21 Oct 2013 20:13:21 GMT', 'location: https://www.example.com'],
  [':status: 200', 'cache-control: private', 'date: Mon, 21 Oct 2013 20:13:22 GMT', 'location: https://www.example.com', 'content-encoding: gzip', cookie],
];
/** Sets the table to 256 bytes, which the examples of responses take for granted. */
const TABLE_256 = '3fe101';

describe('HPACK, by the examples of RFC 7541', () => {
  it('[dmi-3.1] literals of all kinds (C.2)', () => {
    expect(pairs(new HpackDecoder(), '400a637573746f6d2d6b65790d637573746f6d2d686561646572')).toEqual(['custom-key: custom-header']);
    expect(pairs(new HpackDecoder(), '040c2f73616d706c652f70617468')).toEqual([':path: /sample/path']);
    expect(new HpackDecoder().decode(hex('100870617373776f726406736563726574'))).toEqual([{ name: 'password', value: 'secret', secret: true }]);
    expect(pairs(new HpackDecoder(), '82')).toEqual([':method: GET']);
  });

  it.each([
    ['C.3', ['828684410f7777772e6578616d706c652e636f6d', '828684be58086e6f2d6361636865', '828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565']],
    ['C.4', ['828684418cf1e3c2e5f23a6ba0ab90f4ff', '828684be5886a8eb10649cbf', '828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf']],
  ])('[dmi-3.2] requests on one connection (%s)', (_, blocks) => {
    const decoder = new HpackDecoder();
    expect(blocks.map((block) => pairs(decoder, block))).toEqual(requests);
  });

  it.each([
    [
      'C.5',
      [
        `${TABLE_256}4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e1768747470733a2f2f7777772e6578616d706c652e636f6d`,
        '4803333037c1c0bf',
        '88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31',
      ],
    ],
    [
      'C.6',
      [
        `${TABLE_256}488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3`,
        '4883640effc1c0bf',
        '88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007',
      ],
    ],
  ])('[dmi-3.3] responses with a table that overflows (%s)', (_, blocks) => {
    const decoder = new HpackDecoder();
    expect(blocks.map((block) => pairs(decoder, block))).toEqual(responses);
  });

  it('[dmi-3.4] what is encoded here comes back, and leaves nothing in the table', () => {
    const fields = [
      { name: ':authority', value: 'localhost' },
      { name: 'grpc-trace-bin', value: String.fromCharCode(...Array.from({ length: 256 }, (_unused, i) => i)) },
      { name: 'long', value: 'x'.repeat(40_000) },
      { name: 'authorization', value: 'token', secret: true },
    ];
    const decoder = new HpackDecoder();
    expect(decoder.decode(encodeHeaders(fields))).toEqual(fields);
    expect(() => decoder.decode(hex('be'))).toThrow('no header field has the index 62');
  });

  it.each([
    ['an index that is not there', 'c0', 'no header field has the index 64'],
    ['index 0', '80', 'no header field has the index 0'],
    ['a text that is cut', '400a6375', 'ends in the middle of a text'],
    ['an integer without end', 'ffffffffffffffffff', 'is too big'],
    ['a table that is bigger than allowed', '3fe21f', 'a header table of 4097 bytes'],
    ['a change of the table in the middle', '8220', 'in the middle of a block'],
    ['a Huffman code with wrong padding', '418cf1e3c2e5f23a6ba0ab90f400', 'a Huffman code'],
    ['a Huffman code with a whole byte of padding', '4182ffff', 'a Huffman code'],
  ])('[dmi-3.5] refuses %s', (_, block, text) => {
    expect(() => new HpackDecoder().decode(hex(block))).toThrow(text);
  });

  it('[dmi-3.6] a small block does not unfold to a big list', () => {
    const decoder = new HpackDecoder();
    decoder.decode(Buffer.concat([hex('400161'), Buffer.from([0x7f, 0xa1, 0x1e]), Buffer.alloc(4000, 0x61)]));
    expect(() => decoder.decode(Buffer.alloc(60_000, 0xbe))).toThrow('header fields of more than');
  });
});
