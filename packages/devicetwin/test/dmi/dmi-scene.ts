import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collectingLogger, createMemoryStore, createTestBus, eventually, type LogLine } from '@edge/testing';
import { createErrorResponse, createMessage, type Message } from '@edge/protocol';
import { Dmi } from '../../src/dmi/dmi.js';
import { defaultDmiSettings, type DmiSettings } from '../../src/dmi/settings.js';
import { StoredDeviceObjects } from '../../src/objects/stored-device-objects.js';
import type { DeviceReports, ReportedProperty, ReportOutcome } from '../../src/reports.js';
import { FakeMapper } from './fake-mapper.js';

/** Waits until it holds. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  await eventually(async () => (holds() ? true : undefined), what);
}

/** What a mapper reported. */
export type Reported = { readonly id: string; readonly properties: Readonly<Record<string, ReportedProperty>> } | { readonly id: string; readonly state: string };

/** The interface on a real socket, with metamanager's rows in memory, which outlive the agent's restarts. */
export class DmiScene implements AsyncDisposable {
  readonly rows = new Map<string, unknown>();
  readonly reported: Reported[] = [];
  readonly lines: LogLine[] = [];
  readonly bus = createTestBus();
  readonly store = createMemoryStore();
  /** How a report ends. */
  outcome: (reported: Reported) => ReportOutcome | Promise<ReportOutcome> = () => ({ kind: 'done' });
  /** Whether metamanager's disk works. */
  diskWorks = true;
  objects: StoredDeviceObjects;
  dmi!: Dmi;
  #stop: AbortController | undefined;
  #running: Promise<void> | undefined;

  private constructor(
    readonly folder: string,
    readonly settings: Partial<DmiSettings>,
  ) {
    this.bus.play('metamanager', 'meta', (message) => this.#meta(message));
    this.objects = this.#newObjects();
  }

  static async start(settings: Partial<DmiSettings> = {}): Promise<DmiScene> {
    const scene = new DmiScene(await mkdtemp(join(tmpdir(), 'dmi-')), settings);
    await scene.agentStarts();
    return scene;
  }

  get socket(): string {
    return join(this.folder, 'dmi.sock');
  }

  mapper(name = 'mapper'): FakeMapper {
    return new FakeMapper(join(this.folder, `${name}.sock`));
  }

  /** The agent starts with what is stored. */
  async agentStarts(): Promise<void> {
    this.objects = this.#newObjects();
    const stop = new AbortController();
    await this.objects.load(stop.signal);
    const log = collectingLogger(this.lines);
    this.dmi = new Dmi({ socketPath: this.socket, objects: this.objects, reports: this.#reports(), bus: this.bus.bus, store: this.store, log, settings: { ...defaultDmiSettings, ...this.settings } });
    this.#stop = stop;
    this.#running = this.dmi.run(stop.signal);
    this.#running.catch(() => undefined);
  }

  /** Rejects when the interface fails; resolves when it has ended. */
  get running(): Promise<void> {
    return this.#running ?? Promise.resolve();
  }

  /** The agent ends. */
  async agentStops(): Promise<void> {
    this.#stop?.abort();
    await this.#running?.catch(() => undefined);
  }

  /** Resolves when that line is logged, or was. */
  async logged(message: string): Promise<void> {
    await until(() => this.lines.some((line) => line.message === message), `the line "${message}"`);
  }

  /** The cloud's push, stored and passed on by metamanager. */
  push(operation: 'insert' | 'update' | 'delete', resource: string, object: unknown): void {
    if (operation === 'delete') this.rows.delete(resource);
    else this.rows.set(resource, object);
    this.objects.handle(createMessage({ source: 'meta', group: 'twin', operation, resource, content: object }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.agentStops();
    await rm(this.folder, { recursive: true, force: true });
  }

  #newObjects(): StoredDeviceObjects {
    return new StoredDeviceObjects({ bus: this.bus.bus, log: collectingLogger(this.lines) });
  }

  #meta(message: Message): unknown {
    const { operation, resource } = message.route;
    if (!this.diskWorks) return createErrorResponse(message, 'the disk is full');
    if (operation === 'get') {
      const type = resource.split('/')[1] ?? '';
      return { items: [...this.rows].filter(([key]) => key.split('/').includes(type)).map(([key, value]) => ({ key, value })) };
    }
    if (operation === 'insert') this.rows.set(resource, message.content);
    else this.rows.delete(resource);
    return 'OK';
  }

  #reports(): DeviceReports {
    const take = async (reported: Reported): Promise<ReportOutcome> => {
      this.reported.push(reported);
      return this.outcome(reported);
    };
    return { reportTwin: (id, properties) => take({ id, properties }), reportState: (id, state) => take({ id, state }) };
  }
}
