import { describe, expect, it } from 'vitest';
import { verdictOf } from './application.js';

const approved = (RespBody: string): unknown => ({ Status: 'Approved', RespBody });

describe('answers to applications', () => {
  it('[metaserver-8.7] discovery that the API server sent as Protobuf is JSON here, and none that breaks off', () => {
    const group = 'azhzAAoOCgJ2MRIIQVBJR3JvdXASJAoEYXBwcxINCgdhcHBzL3YxEgJ2MRoNCgdhcHBzL3YxEgJ2MRoAIgA=';
    const verdict = verdictOf(approved(group));
    expect(verdict).toMatchObject({ kind: 'approved' });
    expect(JSON.parse((verdict as { body: string }).body)).toMatchObject({ kind: 'APIGroup', name: 'apps', preferredVersion: { groupVersion: 'apps/v1' } });
    expect(verdictOf(approved(group.slice(0, 40)))).toMatchObject({ kind: 'unreadable', why: expect.stringContaining('Protobuf') as string });
    expect(verdictOf(approved(Buffer.from('{"a":"ä"}').toString('base64')))).toEqual({ kind: 'approved', body: '{"a":"ä"}' });
    expect(verdictOf(approved(''))).toEqual({ kind: 'approved', body: undefined });
  });
});
