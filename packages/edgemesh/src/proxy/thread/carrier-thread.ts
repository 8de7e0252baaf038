import { Worker } from 'node:worker_threads';
import { errorText } from '@edge/core';
import type { MeshService, ServiceName } from '../../data/service-table.js';
import { edgeMeshError, EdgeMeshErrors } from '../../errors.js';
import type { Place } from '../carrier.js';
import type { CarriedPort } from '../plan-ways.js';
import type { CarrierSetup, FromCarrier, ToCarrier } from './messages.js';

/** Memory that the thread's objects may take, megabytes: with nothing carried, and for each connection. */
const LEAST_MB = 32;
const CONNECTION_MB = 0.02;
/** For connections to be closed; then the thread is ended. */
const END_MS = 5_000;

export interface CarrierThreadDeps {
  readonly setup: CarrierSetup;
  /** The thread's program. */
  readonly code: string;
  readonly say: (text: string) => void;
  /** Called when the thread ended by itself: the next `sync` rejects. */
  readonly onFailure: () => void;
}

/** What is carried, and the services that it is carried for. */
export interface Load {
  readonly ports: readonly CarriedPort[];
  readonly services: readonly MeshService[];
  readonly dead: readonly string[];
}

interface Waiting {
  readonly resolve: (answer: FromCarrier & { kind: 'done' }) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Carries connections on a thread of their own, so that nothing else in the agent waits for them. There is none while nothing
 * is carried. [edgemesh-47]
 */
export class CarrierThread implements AsyncDisposable {
  readonly #deps: CarrierThreadDeps;
  readonly #waiting: Waiting[] = [];
  #worker: Worker | undefined;
  #failure: Error | undefined;
  #sent: ReadonlyMap<string, MeshService> = new Map();
  #places: ReadonlyMap<string, readonly Place[]> = new Map();

  constructor(deps: CarrierThreadDeps) {
    this.#deps = deps;
  }

  /**
   * Listens for these ports and no others, with their services as they are now.
   * @throws EdgeError `edgemesh.carrier` when the thread ended by itself
   */
  async sync({ ports, services, dead }: Load): Promise<void> {
    if (this.#failure) throw this.#failure;
    if (this.#worker === undefined && ports.length === 0) return;
    this.#worker ??= this.#start();
    const wanted = new Map(services.map((service) => [`${service.namespace}/${service.name}`, service]));
    const changed = [...wanted].filter(([key, service]) => this.#sent.get(key) !== service).map(([, service]) => service);
    const gone = [...this.#sent].filter(([key]) => !wanted.has(key)).map(([, { namespace, name }]): ServiceName => ({ namespace, name }));
    this.#sent = wanted;
    const { places, connections } = await this.#ask({ kind: 'sync', ports, changed, gone, dead });
    this.#places = new Map(places);
    // Those of ports that are gone are carried to their end.
    if (ports.length === 0 && connections === 0) await this[Symbol.asyncDispose]();
  }

  /** Where a port listens. */
  listening(id: string): readonly Place[] {
    return this.#places.get(id) ?? [];
  }

  /** How many it carries now. */
  async connections(): Promise<number> {
    return this.#worker === undefined ? 0 : (await this.#ask({ kind: 'count' })).connections;
  }

  /** True while there is a thread. */
  get isRunning(): boolean {
    return this.#worker !== undefined;
  }

  /** Closes all connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    this.#sent = new Map();
    this.#places = new Map();
    if (worker === undefined) return;
    const timer = setTimeout(() => void worker.terminate(), END_MS);
    // One that fails as it ends has ended all the same.
    const gone = new Promise<void>((resolve) => void worker.once('exit', () => resolve()));
    worker.postMessage({ kind: 'end' } satisfies ToCarrier);
    await gone;
    clearTimeout(timer);
  }

  #ask(message: ToCarrier): Promise<FromCarrier & { kind: 'done' }> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#worker?.postMessage(message);
    });
  }

  #start(): Worker {
    const { setup, code, say } = this.#deps;
    const worker = new Worker(code, { eval: true, name: 'mesh', workerData: setup, resourceLimits: { maxOldGenerationSizeMb: Math.ceil(LEAST_MB + setup.limits.connections * CONNECTION_MB) } });
    worker.on('message', (message: FromCarrier) => {
      if (message.kind === 'says') say(message.text);
      else this.#waiting.shift()?.resolve(message);
    });
    const fail = (why: string, cause?: unknown): void => {
      const error = edgeMeshError(EdgeMeshErrors.carrier, `the thread that carries connections ended: ${why}`, cause);
      for (const { reject } of this.#waiting.splice(0)) reject(error);
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      this.#failure = error;
      this.#deps.onFailure();
    };
    worker.on('error', (error) => fail(errorText(error), error));
    worker.on('exit', (exit) => fail(`with ${exit}`));
    return worker;
  }
}
