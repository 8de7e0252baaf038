import { EdgeError } from '@edge/core';
import { isFields } from '@edge/protocol';
import type { RoleEntry } from '../modules/role-document.js';

/** Longest line in either direction, in bytes. */
export const MAX_LINE = 64 * 1024;

/** What a command asks of the running agent: one line of JSON on a connection of its own. */
export type ControlRequest = { readonly order: 'list' } | SwapRequest;

export interface SwapRequest {
  readonly order: 'swap';
  readonly role: string;
  /** The package to load, in a folder of its own; undefined: the built-in module. */
  readonly entry?: Required<Omit<RoleEntry, 'settings'>> | undefined;
  /** Seconds that it may take to get ready; the agent's usual limit unless given. */
  readonly readyTimeoutSeconds?: number | undefined;
}

/** What the agent answers: lines of JSON, any number of steps and then one of the others. */
export type ControlReply = { readonly step: string } | { readonly done: unknown } | { readonly error: { readonly code: string; readonly message: string } };

/** @throws EdgeError `cli.control` naming what is wrong with it */
export function readRequest(line: string): ControlRequest {
  const value = parse(line);
  const { order, role, entry, readyTimeoutSeconds: seconds } = isFields(value) ? value : {};
  if (order === 'list') return { order };
  if (order !== 'swap') throw wrong(`order is ${JSON.stringify(order)}, it must be "list" or "swap"`);
  if (typeof role !== 'string' || role === '') throw wrong(`role is ${JSON.stringify(role)}, it must be the name of a role`);
  if (seconds !== undefined && !(Number.isInteger(seconds) && (seconds as number) >= 1)) throw wrong(`readyTimeoutSeconds is ${JSON.stringify(seconds)}, it must be a number of seconds`);
  const request = { order, role, ...(seconds === undefined ? {} : { readyTimeoutSeconds: seconds as number }) } as const;
  if (entry === undefined || entry === null) return request;
  const { package: name, version, folder } = isFields(entry) ? entry : {};
  if (typeof name !== 'string' || typeof version !== 'string' || typeof folder !== 'string' || !folder.startsWith('/')) {
    throw wrong(`entry is ${JSON.stringify(entry)}, it must have package, version, and an absolute path as folder`);
  }
  return { ...request, entry: { package: name, version, folder } };
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    throw wrong('it is no JSON');
  }
}

function wrong(what: string): EdgeError {
  return new EdgeError('cli.control', `the order to the agent cannot be read: ${what}`);
}
