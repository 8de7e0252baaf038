import { status, type ServerWritableStream } from '@grpc/grpc-js';
import type { RuntimeEvent } from '@edge/core';
import { errorCode } from '@edge/core';
import { eventually } from '@edge/testing';
import { expect, it } from 'vitest';
import { createCriRuntime } from '../src/index.js';
import { Container, ContainerEventType, ContainerState, PodSandbox, PodSandboxState, type ContainerEventResponse, type GetEventsRequest } from '../src/generated/api.js';
import { TaskExit, type Envelope, type SubscribeRequest } from '../src/generated/events.js';
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
  ['gives each event to one listener only, as containerd 1.7 does, and forbids its own events', { ...version('containerd', '1.7.20'), events: () => undefined }],
])('[cri-3.2] has no events with a runtime that %s, so that the caller lists', async (_, script) => {
  await using server = await ScriptedRuntime.start(script);
  await using runtime = await createCriRuntime({ endpoint: server.socket });
  expect(runtime.events).toBeUndefined();
});

type ExitListener = ServerWritableStream<SubscribeRequest, Envelope>;

it('[cri-7.1] containerd 1.x is asked for its own events: ends of containers and sandboxes are told when the interface shows them, ends of commands are not', async () => {
  const listeners = new Set<ExitListener>();
  const container = (state: ContainerState): Container => ({ ...Container.decode(new Uint8Array()), id: 'c', podSandboxId: 's', state });
  const sandbox: PodSandbox = { ...PodSandbox.decode(new Uint8Array()), id: 's', state: PodSandboxState.SANDBOX_NOTREADY };
  const asked: string[] = [];
  await using server = await ScriptedRuntime.start({
    ...version('containerd', '1.7.20'),
    containerdEvents: (listener) => {
      listeners.add(listener);
      listener.on('cancelled', () => listeners.delete(listener));
    },
    listContainers: ({ filter }) => {
      asked.push(filter?.id ?? '');
      const looks = asked.filter((id) => id === 'c').length;
      // The interface shows it late.
      return { containers: filter?.id === 'c' ? [container(looks < 3 ? ContainerState.CONTAINER_RUNNING : ContainerState.CONTAINER_EXITED)] : [] };
    },
    listPodSandbox: ({ filter }) => ({ items: filter?.id === 's' ? [sandbox] : [] }),
  });
  await using runtime = await createCriRuntime({ endpoint: server.socket });
  await eventually(async () => listeners.size === 0 || undefined, 'no listener');

  const seen: RuntimeEvent[] = [];
  const listen = async (signal: AbortSignal): Promise<void> => {
    for await (const event of runtime.events?.(signal) ?? []) seen.push(event);
  };
  const abort = new AbortController();
  const listening = listen(abort.signal);
  const listener = await eventually(async () => [...listeners][0], 'a listener');
  expect(listener.request.filters).toEqual(['namespace==k8s.io,topic=="/tasks/exit"']);
  const exit = (containerId: string, id = containerId): boolean =>
    listener.write({ topic: '/tasks/exit', event: { value: Buffer.from(TaskExit.encode({ containerId, id, exitedAt: { seconds: 1_700_000_000n, nanos: 123_456_789 } }).finish()) } });
  exit('c', 'command');
  exit('c');
  exit('s');
  exit('gone');
  await eventually(async () => seen[2], 'three events');
  const at = 1_700_000_000_123;
  // The container comes last because the interface shows it last; nobody waits for it.
  expect(seen.at(-1)).toEqual({ type: 'stopped', containerId: 'c', sandboxId: 's', at });
  expect(seen).toContainEqual({ type: 'stopped', containerId: 's', sandboxId: 's', at });
  expect(seen).toContainEqual({ type: 'deleted', containerId: 'gone', sandboxId: 'gone', at });
  expect(asked.filter((id) => id === 'c')).toHaveLength(3);
  abort.abort();
  await listening;

  const second = expect(listen(new AbortController().signal)).rejects.toSatisfy((error) => errorCode(error).startsWith('runtime.'));
  await eventually(async () => listeners.size === 1 || undefined, 'a listener');
  await server.stop();
  await second;
  expect(seen).toHaveLength(3);
});
