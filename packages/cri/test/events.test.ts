import { status, type ServerWritableStream } from '@grpc/grpc-js';
import type { RuntimeEvent } from '@edge/core';
import { errorCode } from '@edge/core';
import { eventually } from '@edge/testing';
import { expect, it } from 'vitest';
import { createCriRuntime } from '../src/index.js';
import { ContainerEventType, type ContainerEventResponse, type GetEventsRequest } from '../src/generated/api.js';
import { containerd2, ScriptedRuntime, type Script } from './scripted-runtime.js';

type Listener = ServerWritableStream<GetEventsRequest, ContainerEventResponse>;

it('[cri-3.1] tells of events until the signal aborts, and a broken connection is an error', async () => {
  const listeners = new Set<Listener>();
  await using server = await ScriptedRuntime.start({
    ...containerd2,
    events: (listener) => {
      listeners.add(listener);
      listener.on('cancelled', () => listeners.delete(listener));
    },
  });
  await using runtime = await createCriRuntime({ endpoint: server.socket });
  // The one that found out whether there are events has left.
  await eventually(async () => listeners.size === 0 || undefined, 'no listener');

  const seen: RuntimeEvent[] = [];
  const listen = async (signal: AbortSignal): Promise<void> => {
    for await (const event of runtime.events?.(signal) ?? []) seen.push(event);
  };
  const abort = new AbortController();
  const listening = listen(abort.signal);
  const listener = await eventually(async () => [...listeners][0], 'a listener');
  const at = 1_700_000_000_123_456_789n;
  const podSandboxStatus = { id: 's', metadata: undefined, state: 0, createdAt: 0n, network: undefined, linux: undefined, labels: {}, annotations: {}, runtimeHandler: '' } as const;
  listener.write({ containerId: 'c', containerEventType: ContainerEventType.CONTAINER_STOPPED_EVENT, createdAt: at, podSandboxStatus });
  listener.write({ containerId: 's', containerEventType: ContainerEventType.CONTAINER_DELETED_EVENT, createdAt: at, podSandboxStatus: undefined });
  await eventually(async () => seen[1], 'two events');
  expect(seen).toEqual([
    { type: 'stopped', containerId: 'c', sandboxId: 's', at: 1_700_000_000_123 },
    { type: 'deleted', containerId: 's', sandboxId: 's', at: 1_700_000_000_123 },
  ]);
  abort.abort();
  await listening;

  const second = expect(listen(new AbortController().signal)).rejects.toSatisfy((error) => errorCode(error).startsWith('runtime.'));
  await eventually(async () => listeners.size === 1 || undefined, 'a listener');
  await server.stop();
  await second;
});

const version = (runtimeName: string, runtimeVersion: string): Script => ({ version: () => ({ version: '0.1.0', runtimeName, runtimeVersion, runtimeApiVersion: 'v1' }) });

it.each<[string, Script]>([
  ['does not know the call', containerd2],
  ['refuses it', { ...containerd2, events: (listener) => void listener.emit('error', { code: status.UNIMPLEMENTED, details: 'no' }) }],
  ['ends the stream at once, as CRI-O does where events are switched off', { ...version('cri-o', '1.31.0'), events: (listener) => void listener.end() }],
  ['gives each event to one listener only, as containerd 1.7 does', { ...version('containerd', '1.7.20'), events: () => undefined }],
])('[cri-3.2] has no events with a runtime that %s, so that the caller lists', async (_, script) => {
  await using server = await ScriptedRuntime.start(script);
  await using runtime = await createCriRuntime({ endpoint: server.socket });
  expect(runtime.events).toBeUndefined();
});
