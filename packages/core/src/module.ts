import type { Message, MessageKind } from '@edge/protocol';
import type { Bind, Token } from './token.js';
import type { Backoff } from './time.js';
import { CONTRACT_VERSIONS, type ContractVersions } from './versions/contract.js';

/** Shape of a module definition; grows when a field changes its meaning. */
export const MODULE_SHAPE = 1;
/** Marks a value as a module for any copy of core. */
export const MODULE_BRAND = 'edge.module';

/** What core gives a module for one run. */
export interface Life {
  /** Aborts when the module has to end: release everything and return. */
  readonly signal: AbortSignal;
  /** "I serve": messages are delivered from here on, and those that come after may start. */
  ready(): void;
}

/** What a module gives core: its life as one promise. Resolves: done. Rejects: crashed. Returns soon after the signal aborts. */
export interface Runnable {
  run(life: Life): Promise<void>;
}

/** Handles one message. A returned message is the answer; a throw becomes an error answer to whoever waits, else a dead letter. */
export type Handle<M, Body> = (module: M, body: Body, message: Message) => void | Message | Promise<void | Message>;

/** One row of a module's table of messages. */
export interface Route<M = unknown> {
  readonly kind: MessageKind<unknown>;
  /** Messages of one lane are handled in order; lanes run side by side. */
  readonly lane: string | ((message: Message) => string);
  readonly handle: Handle<M, unknown>;
}

/** When and how often a crashed module is started again. Unlimited unless `retries` is given. */
export interface RestartPolicy extends Backoff {
  readonly when: 'on-failure' | 'always' | 'never';
  readonly retries?: number;
}

/** Upstream's numbers: 1 s, doubling, at most 30 s, without end. */
export const DEFAULT_RESTART: RestartPolicy = { when: 'on-failure', firstMs: 1000, factor: 2, limitMs: 30_000, jitter: 0 };

/** The slice of the configuration that a module owns. */
export interface ConfigSlice<Config> {
  /** Dotted path in `edgecore.yaml`, `modules.edgeHub`. */
  readonly path: string;
  readonly token: Token<Config>;
  /**
   * Reads the slice; defaults fill what is missing.
   * @param raw the value at `path`, undefined when absent
   * @param root the whole tree, for the few values that live elsewhere
   * @throws EdgeError `config.invalid`
   */
  readonly parse: (raw: unknown, root: Readonly<Record<string, unknown>>) => Config;
}

/** What any copy of core recognises a module by. */
export interface ModuleManifest {
  readonly brand: typeof MODULE_BRAND;
  readonly shape: number;
  /** Versions of the contract packages that the module has loaded, which may be copies of its own. */
  readonly contract: ContractVersions;
}

/** A module as a value: the main export of its package. */
export interface ModuleDefinition<M extends Runnable = Runnable, Config = unknown> {
  readonly manifest: ModuleManifest;
  /** The role it plays, `edgehub`. One module per role. */
  readonly name: string;
  /** npm package it comes from. */
  readonly packageName: string;
  /** Upstream's names: address on the bus and group. */
  readonly wire: { readonly module: string; readonly group: string };
  readonly version: string;
  /** Package → semver range of the contract line. */
  readonly requires: Readonly<Record<string, string>>;
  readonly config: ConfigSlice<Config>;
  /** True when it runs with this configuration. */
  readonly enabled: (config: Config) => boolean;
  /** Roles that must be ready before it starts; order only, absent ones are skipped. */
  readonly after: readonly string[];
  readonly routes: readonly Route<M>[];
  readonly restart: RestartPolicy;
  /** Milliseconds that it may take to stop beyond what all modules together get; 0 unless given. */
  readonly extraStopMs?: (config: Config) => number;
  /** Places per lane. */
  readonly laneCapacity?: number;
  readonly entry: Token<M>;
  readonly bindings: (bind: Bind) => void;
}

/** What a package writes down; the rest has defaults. */
export type ModuleSpec<M extends Runnable, Config> = Omit<ModuleDefinition<M, Config>, 'manifest' | 'after' | 'restart' | 'enabled'> &
  Partial<Pick<ModuleDefinition<M, Config>, 'after' | 'restart' | 'enabled'>>;

/** Makes a module definition. */
export function defineModule<M extends Runnable, Config>(spec: ModuleSpec<M, Config>): ModuleDefinition<M, Config> {
  return {
    after: [],
    restart: DEFAULT_RESTART,
    enabled: (config) => (config as { enable?: boolean }).enable !== false,
    ...spec,
    manifest: { brand: MODULE_BRAND, shape: MODULE_SHAPE, contract: CONTRACT_VERSIONS },
  };
}

/** One row, with the body's type taken from the kind. */
export function route<M, Body>(kind: MessageKind<Body>, lane: Route['lane'], handle: Handle<M, Body>): Route<M> {
  return { kind, lane, handle: handle as Handle<M, unknown> };
}
