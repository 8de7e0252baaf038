import { EdgeError, token, type ConfigSlice, type Token } from '@edge/core';
import { isFields } from '@edge/protocol';
import { parseAllowed, type AllowedTarget, type AllowList } from './calls/allow-list.js';
import { ownPorts } from './calls/own-ports.js';

/** The slice `modules.serviceBus`, with `edge.serviceBus`. */
export interface ServiceBusConfig {
  /** Default false, as upstream. */
  readonly enable: boolean;
  /** Calls of rules on services of this node. */
  readonly calls: {
    readonly allowList: AllowList;
    readonly timeoutMs: number;
    readonly redirects: 'follow' | 'node';
    /** 0: what the router repeats is not recognised. */
    readonly repeatWindowMs: number;
  };
  /** The server for programs on this node. */
  readonly server: {
    readonly host: string;
    readonly port: number;
    /** How long a program waits for the cloud's answer. */
    readonly timeoutMs: number;
    readonly body: 'base64' | 'plain';
    readonly openToNetwork: boolean;
    /** Empty: no token is asked for. */
    readonly tokenFile: string;
    readonly requestsPerSecond: number;
  };
  /** Requests at a time, each way. */
  readonly maxRequests: number;
}

export const ServiceBusConfig: Token<ServiceBusConfig> = token<ServiceBusConfig>('servicebus', 'ServiceBusConfig');

/** Where the slice lies in `edgecore.yaml`. */
export const CONFIG_PATH = 'modules.serviceBus';
const OWN_PATH = 'edge.serviceBus';

type Tree = Readonly<Record<string, unknown>>;

/**
 * Reads the slice; what is missing gets its default.
 * @throws EdgeError `config.invalid` naming the member, its value and what would be right
 */
export function parseServiceBusConfig(raw: unknown, root: Tree = {}): ServiceBusConfig {
  const slice = section(CONFIG_PATH, raw);
  const own = section(OWN_PATH, section('edge', root['edge'])['serviceBus']);
  return {
    enable: flag(slice, CONFIG_PATH, 'enable', false),
    calls: {
      allowList: { allowed: allowed(own['allow']), own: ownPorts({ ...root, modules: { ...section('modules', root['modules']), serviceBus: slice } }) },
      timeoutMs: whole(own, OWN_PATH, 'callTimeoutSeconds', 10, 1, 3600) * 1000,
      redirects: word(own, 'redirects', ['follow', 'node']),
      repeatWindowMs: whole(own, OWN_PATH, 'repeatWindowSeconds', 0, 0, 3600) * 1000,
    },
    server: {
      host: text(slice, CONFIG_PATH, 'server', '127.0.0.1'),
      port: whole(slice, CONFIG_PATH, 'port', 9060, 1, 65_535),
      // Go waits 10 s when it cannot read what is there; 0 gives nobody a chance.
      timeoutMs: (whole(slice, CONFIG_PATH, 'timeout', 60, 0, 86_400) || 60) * 1000,
      body: word(own, 'body', ['base64', 'plain']),
      openToNetwork: flag(own, OWN_PATH, 'openToNetwork', false),
      tokenFile: text(own, OWN_PATH, 'tokenFile', ''),
      requestsPerSecond: whole(own, OWN_PATH, 'requestsPerSecond', 100, 1, 1_000_000),
    },
    maxRequests: whole(own, OWN_PATH, 'maxRequests', 256, 1, 100_000),
  };
}

function allowed(value: unknown): readonly AllowedTarget[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw invalid(`${OWN_PATH}.allow`, value, 'a list such as [9000, 9001-9010, 9000/api]');
  return value.map((line: unknown, index) => {
    const parsed = typeof line === 'string' || typeof line === 'number' ? parseAllowed(String(line)) : undefined;
    if (parsed === undefined) throw invalid(`${OWN_PATH}.allow[${index}]`, line, 'a port, ports from-to, or either with a path: 9000, 9001-9010, 9000/api');
    return parsed;
  });
}

function section(path: string, value: unknown): Tree {
  if (value === undefined || value === null) return {};
  if (!isFields(value)) throw invalid(path, value, 'a section with keys');
  return value;
}

function flag(tree: Tree, path: string, name: string, initial: boolean): boolean {
  const value = tree[name] ?? initial;
  if (typeof value !== 'boolean') throw invalid(`${path}.${name}`, value, 'true or false');
  return value;
}

function whole(tree: Tree, path: string, name: string, initial: number, min: number, max: number): number {
  const value = tree[name] ?? initial;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) throw invalid(`${path}.${name}`, value, `a whole number from ${min} to ${max}`);
  return value;
}

function text(tree: Tree, path: string, name: string, initial: string): string {
  const value = tree[name] ?? '';
  if (typeof value !== 'string') throw invalid(`${path}.${name}`, value, 'a string');
  return value === '' ? initial : value;
}

function word<W extends string>(tree: Tree, name: string, words: readonly [W, ...W[]]): W {
  const value = tree[name] ?? words[0];
  if (!(words as readonly unknown[]).includes(value)) throw invalid(`${OWN_PATH}.${name}`, value, words.join(' or '));
  return value as W;
}

function invalid(path: string, value: unknown, right: string): EdgeError {
  return new EdgeError('config.invalid', `${path} is ${JSON.stringify(value)}, it must be ${right}`);
}

export const config: ConfigSlice<ServiceBusConfig> = { path: CONFIG_PATH, token: ServiceBusConfig, parse: parseServiceBusConfig };
