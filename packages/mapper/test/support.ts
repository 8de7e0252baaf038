import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, vi } from 'vitest';
import type { Driver, Log, Mapper, MapperOptions, OpenDevice, Property, Value } from '../src/index.js';
import { startMapper } from '../src/index.js';
import { TestEdgeCore } from '../src/testing/index.js';

/** Long, because the machine may be busy; nothing waits for it when all is well. */
export const SOON = { timeout: 20_000, interval: 5 };

export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, SOON);
}

/** A folder, an EdgeCore and a log for each test of a file, gone after it. */
export function bench(): {
  readonly folder: string;
  readonly edgeCore: TestEdgeCore;
  readonly lines: string[];
  readonly socketPath: string;
  start<C>(driver: Driver<C>, options?: Partial<MapperOptions>): Promise<Mapper>;
} {
  const here = {
    folder: '',
    edgeCore: undefined as unknown as TestEdgeCore,
    lines: [] as string[],
    socketPath: '',
    mappers: [] as Mapper[],
    async start<C>(driver: Driver<C>, options: Partial<MapperOptions> = {}): Promise<Mapper> {
      const add = (level: string) => (message: string) => void here.lines.push(`${level} ${message}`);
      const log: Log = { error: add('E'), warn: add('W'), info: add('I') };
      const timing = { pauseMs: 20, longestPauseMs: 100, callMs: 5000, ...options.timing };
      const mapper = await startMapper(driver, { name: 'test-mapper', protocol: 'test', edgeCoreSocket: here.edgeCore.socket, socketPath: here.socketPath, http: false, log, env: {}, ...options, timing });
      here.mappers.push(mapper);
      return mapper;
    },
  };
  beforeEach(() => {
    here.folder = mkdtempSync(join(tmpdir(), 'mapper-'));
    here.socketPath = join(here.folder, 'test-mapper.sock');
    here.edgeCore = new TestEdgeCore(join(here.folder, 'dmi.sock'));
    here.lines = [];
  });
  afterEach(async () => {
    await Promise.all(here.mappers.splice(0).map((mapper) => mapper.stop()));
    await here.edgeCore[Symbol.asyncDispose]();
    rmSync(here.folder, { recursive: true, force: true });
  });
  return here;
}

/** A driver over a table of values, which says what it was asked for and fails when it is told to. */
export class TableDriver implements Driver<{ readonly number: number }> {
  readonly calls: string[] = [];
  readonly values = new Map<string, Value>();
  /** By call (`init`, `read temperature`, …): what to do instead of working. */
  readonly instead = new Map<string, () => unknown>();
  opened = 0;
  stopped = 0;

  async init(device: { readonly id: string }): Promise<{ readonly number: number }> {
    this.#say('init', device.id);
    await this.instead.get('init')?.();
    this.opened += 1;
    return { number: this.opened };
  }

  async read(property: Property, device: OpenDevice<{ readonly number: number }>): Promise<Value> {
    this.#say(`read ${property.name}`, device.id);
    await (this.instead.get(`read ${property.name}`) ?? this.instead.get(`read of ${device.id}`))?.();
    return this.values.get(property.name) ?? 0;
  }

  async write(property: Property, value: Value, device: OpenDevice<{ readonly number: number }>): Promise<void> {
    this.#say(`write ${property.name}=${String(value)}`, device.id);
    await this.instead.get(`write ${property.name}`)?.();
    this.values.set(property.name, value);
  }

  async stop(device: OpenDevice<{ readonly number: number }>): Promise<void> {
    this.#say('stop', device.id);
    this.stopped += 1;
    await this.instead.get('stop')?.();
  }

  /** Calls of a kind. */
  count(call: string): number {
    return this.calls.filter((made) => made === call || made.startsWith(`${call} `)).length;
  }

  #say(call: string, id: string): void {
    this.calls.push(`${call} ${id}`);
  }
}

export function fail(message: string): () => never {
  return () => {
    throw new Error(message);
  };
}
