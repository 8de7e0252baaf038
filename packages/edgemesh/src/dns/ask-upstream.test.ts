import { expect, it } from 'vitest';
import { askUpstream } from './ask-upstream.js';

it('[edgemesh-5.9] a server to which there is no way is one that does not answer', async () => {
  const ask = { question: Buffer.from('\x01a\x00\x00\x01\x00\x01', 'latin1'), checkingDisabled: false, edns: undefined, isTcp: false };
  // The kernel refuses to connect to this one, as it does to any when there is no route.
  expect(await askUpstream({ address: '255.255.255.255', port: 53 }, ask, 60_000, new AbortController().signal)).toBeUndefined();
});
