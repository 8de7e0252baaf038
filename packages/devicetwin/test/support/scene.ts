import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudLink, createCell, provideValue, type LinkStatus, type ModuleDefinition, type Store } from '@edge/core';
import { createMessage, createResponse, topicResource, type Device, type DeviceRow, type DeviceTwinRow, deviceTable, deviceTwinTable, type Message } from '@edge/protocol';
import { createMemoryStore, runModule, type PlayedModule, type RunningModule, type Script } from '@edge/testing';
import { devicetwin, type DeviceTwin, type DeviceTwinConfig } from '../../src/index.js';

/** One message on MQTT. */
export interface Published {
  readonly topic: string;
  readonly payload: string;
}

/** The device twin alone: the event bus, the cloud and metamanager are played, the link is switched by the test. */
export interface Scene extends AsyncDisposable {
  readonly running: RunningModule;
  readonly store: Store;
  readonly hub: PlayedModule;
  readonly node: string;
  /** The socket that mappers call. */
  readonly dmiSocket: string;
  /** All that was published, in order. */
  readonly published: readonly Published[];
  connect(): void;
  disconnect(): void;
  /** A client publishes with QoS 1 and waits. Resolves with the operation of the answer. */
  publish(topic: string, payload: unknown): Promise<string>;
  /** A client publishes with QoS 0. */
  toss(topic: string, payload: unknown): Promise<void>;
  /** As edgehub passes on what the cloud sends. */
  fromCloud(message: Message): Promise<void>;
  /** The cloud binds devices to the node, or removes them. */
  membership(change: { readonly added?: readonly unknown[]; readonly removed?: readonly unknown[] }): Promise<void>;
  /** metamanager passes on a Device. */
  object(operation: 'insert' | 'update' | 'delete', device: Device): Promise<void>;
  twinRows(): DeviceTwinRow[];
  deviceRows(): DeviceRow[];
  /** Contents of twin messages that the cloud got, without event id and time, in order. */
  reported(deviceId: string): Record<string, unknown>[];
  /** Words of state messages that the cloud got. */
  states(deviceId: string): string[];
}

export interface SceneOptions {
  readonly store?: Store;
  readonly connected?: boolean;
  /** Plays the cloud behind the hub; by default it answers every report with `OK`. Undefined: silence. */
  readonly cloud?: Script;
  readonly settings?: Record<string, unknown>;
  /** Devices that metamanager has. */
  readonly objects?: readonly Device[];
  /** Whether metamanager answers at all. Default true. */
  readonly meta?: boolean;
  readonly node?: string;
  /** Default true. */
  readonly eventBus?: boolean;
}

export async function openScene(options: SceneOptions = {}): Promise<Scene> {
  const store = options.store ?? createMemoryStore();
  const folder = mkdtempSync(join(tmpdir(), 'devicetwin-'));
  const link = createCell<LinkStatus>({ connected: options.connected ?? false, session: options.connected ? 1 : 0, since: 0 });
  const published: Published[] = [];
  const node = options.node ?? 'edge-1';
  let hub: PlayedModule | undefined;
  const definition: ModuleDefinition<DeviceTwin, DeviceTwinConfig> = {
    ...devicetwin,
    bindings: (bind) => {
      devicetwin.bindings(bind);
      // Nearer than core's own cell, so the test writes what edgehub would.
      provideValue(bind, CloudLink, link);
    },
  };
  const running = await runModule(definition, {
    store,
    identity: { name: node, version: 'v0', addresses: () => Promise.resolve([]) },
    config: { modules: { deviceTwin: { dmiSockPath: folder } }, edge: { deviceTwin: options.settings ?? {} } },
    neighbours: (bus) => {
      hub = bus.play('websocket', 'hub', (message) => answerAside(bus.bus, message, options.cloud ?? ((asked) => cloudOk(asked))));
      if (options.eventBus ?? true) bus.play('eventbus', 'bus', (message) => void published.push({ topic: message.route.resource, payload: String(message.content) }));
      if (options.meta ?? true) {
        bus.play('metamanager', 'meta', (message) => {
          if (message.route.operation !== 'get') return 'OK';
          const items = message.route.resource === 'stored/device' ? (options.objects ?? []) : [];
          return { items: items.map((value) => ({ key: `${value.metadata.namespace}/device/${value.metadata.name}`, value })) };
        });
      }
    },
  });
  const { bus } = running.bus;
  const toTwin = (message: Message): Promise<void> => bus.send({ group: 'twin' }, message);
  const fromClient = (topic: string, payload: unknown): Message =>
    createMessage({ source: 'bus', group: 'user', operation: 'response', resource: topicResource(topic), content: typeof payload === 'string' ? payload : JSON.stringify(payload) });
  const heard = (deviceId: string, suffix: string): Message[] => (hub as PlayedModule).received.filter(({ route }) => route.resource === `device/${deviceId}/${suffix}`);
  return {
    running,
    store,
    hub: hub as PlayedModule,
    node,
    dmiSocket: join(folder, 'dmi.sock'),
    published,
    connect: () => link.set({ connected: true, session: link.value.session + 1, since: Date.now() }),
    disconnect: () => link.set({ ...link.value, connected: false, since: Date.now(), reason: 'cut' }),
    publish: async (topic, payload) => (await bus.request({ group: 'twin' }, fromClient(topic, payload), { timeoutMs: 20_000 })).route.operation,
    toss: (topic, payload) => toTwin(fromClient(topic, payload)),
    fromCloud: async (message) => {
      if (!bus.respond(message)) await toTwin(message);
    },
    membership: async ({ added = null, removed = null }) => {
      const content = { event_id: randomUUID(), timestamp: Date.now(), added_devices: added, removed_devices: removed };
      await toTwin(createMessage({ source: 'devicecontroller', group: 'twin', operation: 'update', resource: 'membership', content }));
    },
    object: (operation, device) =>
      toTwin(createMessage({ source: 'meta', group: 'twin', operation, resource: `${device.metadata.namespace}/device/${device.metadata.name}`, content: device })),
    twinRows: () => store.table<DeviceTwinRow>(deviceTwinTable).all(),
    deviceRows: () => store.table<DeviceRow>(deviceTable).all(),
    reported: (deviceId) => heard(deviceId, 'twin/edge_updated').map(({ content }) => (content as { twin: Record<string, unknown> }).twin),
    states: (deviceId) => heard(deviceId, 'state/update').map(({ content }) => (JSON.parse(String(content)) as { device: { state: string } }).device.state),
    [Symbol.asyncDispose]: async () => {
      await running.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The hub never waits for the cloud: answers come when they come. */
function answerAside(bus: RunningModule['bus']['bus'], message: Message, script: Script): undefined {
  void Promise.resolve(script(message)).then((answer) => {
    if (answer !== undefined) bus.respond(answer as Message);
  });
}

/** The cloud has patched the status. */
export function cloudOk(asked: Message): Message {
  return createResponse(asked, 'OK', { source: 'devicecontroller', group: 'twin', resource: 'twin' });
}

/** A Device as the cloud sends it. */
export function deviceObject(name: string, uid = `uid-${name}`, namespace = 'default'): Device {
  return { kind: 'Device', apiVersion: 'devices.kubeedge.io/v1beta1', metadata: { name, namespace, uid, resourceVersion: '1' }, spec: { nodeName: 'edge-1' } } as Device;
}

/** Waits until `fits`, looking every few milliseconds. */
export async function eventually(fits: () => boolean, timeoutMs = 60_000): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!fits()) {
    if (Date.now() > end) throw new Error(`did not come true within ${timeoutMs} ms: ${fits.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
}

/** Lets everything that is due happen. */
export async function settle(rounds = 20): Promise<void> {
  for (let round = 0; round < rounds; round += 1) await new Promise((resolve) => setImmediate(resolve));
}
