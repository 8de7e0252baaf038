import type { Pod, Volume } from '@edge/protocol';
import { expect, it } from 'vitest';
import type { MetaClient } from '../apply/meta-client.js';
import { TokenReader } from './token-reader.js';

const pod: Pod = { metadata: { name: 'p', namespace: 'ns', uid: 'u' }, spec: { serviceAccountName: 'runner', containers: [] } };
const volume: Volume = { name: 'v', projected: { sources: [{ serviceAccountToken: { path: 'token' } }, { serviceAccountToken: { path: 'vault/token', audience: 'vault', expirationSeconds: 600 } }] } };
const asked: unknown[] = [];
const reader = (answer: unknown): TokenReader =>
  new TokenReader({ meta: { request: async (...question: unknown[]) => (asked.push(question.slice(0, 3)), answer) } as unknown as MetaClient });
const read = (answer: unknown): Promise<ReadonlyMap<string, string>> => reader(answer).forVolume(pod, volume, new AbortController().signal);

it('[edged-11.20] asks for each token of a volume for the pod\'s account, bound to the pod, and takes new and stored ones', async () => {
  asked.length = 0;
  expect(await read({ status: { token: 't' } })).toEqual(new Map([['token', 't'], ['vault/token', 't']]));
  expect(await read([JSON.stringify({ status: { token: 's' } })])).toEqual(new Map([['token', 's'], ['vault/token', 's']]));
  const boundObjectRef = { kind: 'Pod', apiVersion: 'v1', name: 'p', uid: 'u' };
  expect(asked.slice(0, 2)).toEqual([
    ['query', 'ns/serviceaccounttoken/runner', expect.objectContaining({ spec: { audiences: null, expirationSeconds: 3600, boundObjectRef } })],
    ['query', 'ns/serviceaccounttoken/runner', expect.objectContaining({ spec: { audiences: ['vault'], expirationSeconds: 600, boundObjectRef } })],
  ]);
});

it('[edged-11.21] names the account and the cloud\'s reason when it is refused, as the event of the pod will, and what is wrong with an answer', async () => {
  const refusal = { ErrStatus: { metadata: {}, status: 'Failure', message: 'serviceaccounts "runner" not found', reason: 'NotFound', code: 404 } };
  await expect(read(refusal)).rejects.toMatchObject({ code: 'edged.refused', message: 'query ns/serviceaccounttoken/runner: serviceaccounts "runner" not found', status: { code: 404 } });
  for (const bad of [{ status: { token: '' } }, null, 'text', []]) await expect(read(bad)).rejects.toMatchObject({ code: 'edged.bad-answer', message: expect.stringContaining('ns/serviceaccounttoken/runner') });
});
