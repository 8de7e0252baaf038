import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { silentLogger } from '@edge/core';
import { createMessage, strategicMerge, type Message, type Pod, type PodStatus } from '@edge/protocol';
import type { MetaClient } from '../apply/meta-client.js';
import { somePod } from '../../test/plan-kit.js';
import { PodStatuses } from './pod-statuses.js';

interface Sent {
  operation: string;
  resource: string;
  content: unknown;
  id: string;
}

function scene(connected = true) {
  const sent: Sent[] = [];
  const state = { connected, failNext: false };
  const meta = {
    send: async (operation: string, resource: string, content: unknown, id = 'none') => {
      if (state.failNext) {
        state.failNext = false;
        throw new Error('lane full');
      }
      sent.push({ operation, resource, content, id });
    },
  } as unknown as MetaClient;
  const accepted: Pod[] = [];
  const statuses = new PodStatuses({
    meta,
    connected: () => state.connected,
    onPod: (pod) => {
      accepted.push(pod);
      statuses.known(pod);
    },
    log: silentLogger,
  });
  let api = somePod({}, { phase: 'Pending' });
  statuses.known(api);
  const answer = (patch: Sent, error?: { reason: string; message: string }): void => {
    if (!error) api = strategicMerge(api, JSON.parse(patch.content as string) as object);
    const content = error ? { Object: null, Err: { ErrStatus: { status: 'Failure', ...error } } } : { Object: api, Err: null };
    statuses.answered(createMessage({ source: 'x', group: 'y', operation: 'response', resource: 'ns/podpatch/p', content, parentId: patch.id }) as Message);
  };
  return { statuses, sent, state, answer, api: () => api };
}
const wanted = (phase: PodStatus['phase'], message = ''): PodStatus => ({ phase, message, conditions: [] }) as PodStatus;
const turn = () => vi.advanceTimersByTimeAsync(0);
const phases = (sent: Sent[]) => sent.map(({ content }) => (JSON.parse(content as string) as { status: PodStatus }).status.phase);

describe('PodStatuses', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('[edged-12.1] holds the next patch back until the one before is answered, and then sends only the last state', async () => {
    const { statuses, sent, answer, api } = scene();
    statuses.set('u', wanted('Running'));
    await turn();
    statuses.set('u', wanted('Running', 'two'));
    statuses.set('u', wanted('Failed', 'three'));
    await turn();
    expect(phases(sent)).toEqual(['Running']);
    answer(sent[0] as Sent);
    await turn();
    expect(phases(sent)).toEqual(['Running', 'Failed']);
    answer(sent[1] as Sent);
    await turn();
    expect(api().status).toMatchObject({ phase: 'Failed', message: 'three' });
    expect(sent.length).toBe(2);
  });

  it('[edged-12.2] hands each state over while the link is down, because the outbox keeps the last one; the same one only once', async () => {
    const { statuses, sent } = scene(false);
    statuses.set('u', wanted('Running'));
    await turn();
    statuses.set('u', wanted('Failed'));
    await turn();
    statuses.set('u', wanted('Failed'));
    statuses.sweep();
    await turn();
    expect(phases(sent)).toEqual(['Running', 'Failed']);
  });

  it('[edged-12.3] a state that was taken back while its patch was under way is put right after the answer', async () => {
    const { statuses, sent, answer, api } = scene();
    statuses.set('u', wanted('Running'));
    await turn();
    statuses.set('u', wanted('Pending'));
    await turn();
    expect(phases(sent)).toEqual(['Running']);
    answer(sent[0] as Sent);
    await turn();
    expect(phases(sent)).toEqual(['Running', 'Pending']);
    answer(sent[1] as Sent);
    expect(api().status?.phase).toBe('Pending');
  });

  it('[edged-12.4] an answer to a patch of an earlier run of the agent leads to a correction', async () => {
    const { statuses, sent, answer } = scene();
    statuses.set('u', wanted('Pending'));
    await turn();
    answer(sent[0] as Sent);
    sent.length = 0;
    answer({ id: 'of-old', operation: 'patch', resource: '', content: JSON.stringify({ status: { phase: 'Running', message: '' } }) });
    await turn();
    expect(phases(sent)).toEqual(['Pending']);
  });

  it('[edged-12.5] a patch whose answer never comes is replaced after a while, a refused one tried again after a pause', async () => {
    const { statuses, sent, answer } = scene();
    statuses.set('u', wanted('Running'));
    await turn();
    await vi.advanceTimersByTimeAsync(95_000);
    statuses.sweep();
    await turn();
    expect(sent.length).toBe(2);
    answer(sent[1] as Sent, { reason: 'InternalError', message: 'etcd' });
    statuses.sweep();
    await turn();
    expect(sent.length).toBe(2);
    await vi.advanceTimersByTimeAsync(31_000);
    statuses.sweep();
    await turn();
    expect(sent.length).toBe(3);
  });

  it('[edged-12.6] a pod that the API no longer has is not spoken of again', async () => {
    const { statuses, sent, answer } = scene();
    statuses.set('u', wanted('Running'));
    await turn();
    answer(sent[0] as Sent, { reason: 'NotFound', message: 'gone' });
    statuses.set('u', wanted('Failed'));
    await vi.advanceTimersByTimeAsync(200_000);
    statuses.sweep();
    await turn();
    expect(sent.length).toBe(1);
  });

  it.each([
    ['Conflict', 'Operation cannot be fulfilled on pods "p": Precondition failed: UID in precondition: u, UID in object meta: x'],
    ['Invalid', 'Pod "p" is invalid: metadata.uid: Invalid value: "u": field is immutable'],
  ])('[edged-12.9] nor is one whose name another pod has taken (%s)', async (reason, message) => {
    const { statuses, sent, answer } = scene();
    statuses.set('u', wanted('Running'));
    await turn();
    answer(sent[0] as Sent, { reason, message });
    statuses.set('u', wanted('Failed'));
    await vi.advanceTimersByTimeAsync(200_000);
    statuses.sweep();
    await turn();
    expect(sent.length).toBe(1);
  });

  it('[edged-12.10] a final phase that somebody else has set is final here too', async () => {
    const { statuses, sent, answer } = scene();
    statuses.set('u', wanted('Running'));
    await turn();
    answer(sent[0] as Sent);
    statuses.known(somePod({}, { phase: 'Failed', reason: 'Evicted', message: 'm' }));
    await turn();
    // Not put back to Running; the worker ends the containers and builds the next status on this one.
    expect(sent.length).toBe(1);
    expect(statuses.previous('u')).toMatchObject({ phase: 'Failed', reason: 'Evicted', message: 'm' });
    statuses.set('u', { ...statuses.previous('u'), hostIP: '192.0.2.1' });
    await turn();
    expect(JSON.parse(sent[1]?.content as string)).toEqual({ metadata: { uid: 'u' }, status: { hostIP: '192.0.2.1', conditions: [] } });
  });

  it('[edged-12.7] a hand-over that fails is made up for', async () => {
    const { statuses, sent, state } = scene();
    state.failNext = true;
    statuses.set('u', wanted('Running'));
    await turn();
    expect(sent).toEqual([]);
    await vi.advanceTimersByTimeAsync(2000);
    statuses.sweep();
    await turn();
    expect(phases(sent)).toEqual(['Running']);
  });

  it('[edged-12.8] asks for the deletion once, and again only when nothing came of it', async () => {
    const { statuses, sent } = scene();
    statuses.sendDelete('u');
    statuses.sendDelete('u');
    await turn();
    expect(sent).toEqual([{ operation: 'delete', resource: 'ns/pod/p', content: { gracePeriodSeconds: 0, preconditions: { uid: 'u' } }, id: 'none' }]);
    await vi.advanceTimersByTimeAsync(95_000);
    statuses.sweep();
    await turn();
    expect(sent.length).toBe(2);
  });

  it('[edged-12.20] conditions that somebody else sets in the API are never taken back, and the next status sees them', async () => {
    const { statuses, sent } = scene();
    const ready = { type: 'Ready', status: 'True' as const };
    const gate = (status: 'True' | 'False') => ({ type: 'example.com/gate', status });
    const known = (...conditions: PodStatus['conditions'] & object): void => statuses.known(somePod({}, { phase: 'Running', conditions }));
    statuses.set('u', { phase: 'Running', conditions: [ready, gate('True')] });
    known(ready, gate('False'));
    await turn();
    expect(sent.slice(1)).toEqual([]);
    expect(statuses.previous('u').conditions).toEqual([ready, gate('False')]);
    statuses.set('u', { phase: 'Running', conditions: [{ ...ready, status: 'False' }] });
    await turn();
    expect(sent.map(({ content }) => String(content)).join()).not.toContain('gate');
  });
});
