import { EdgeError, token, type Token } from '@edge/core';

/** The slice `modules.metaManager`. */
export interface MetaManagerConfig {
  /** Default true. */
  readonly enable: boolean;
  /** Group on the bus that leads to the cloud. Default `hub`. */
  readonly contextSendGroup: string;
  /** Module that leads to the cloud. Read for compatibility; messages go to the group. Default `websocket`. */
  readonly contextSendModule: string;
  /** Seconds to wait for the cloud's answer. Default 60. */
  readonly remoteQueryTimeout: number;
}

export const MetaManagerConfig: Token<MetaManagerConfig> = token<MetaManagerConfig>('metamanager', 'MetaManagerConfig');

/** Where the slice lies in `edgecore.yaml`. */
export const CONFIG_PATH = 'modules.metaManager';

/**
 * Reads the slice; what is missing gets its default.
 * @throws EdgeError `config.invalid` naming the member
 */
export function parseMetaManagerConfig(raw: unknown): MetaManagerConfig {
  const slice = (raw ?? {}) as Readonly<Record<string, unknown>>;
  const config = {
    enable: member(slice, 'enable', true),
    contextSendGroup: member(slice, 'contextSendGroup', 'hub'),
    contextSendModule: member(slice, 'contextSendModule', 'websocket'),
    remoteQueryTimeout: member(slice, 'remoteQueryTimeout', 60),
  };
  if (!(config.remoteQueryTimeout > 0) || config.remoteQueryTimeout > 86_400) {
    throw invalid('remoteQueryTimeout', config.remoteQueryTimeout, 'a number of seconds between 1 and 86400');
  }
  return config;
}

function member<T extends boolean | string | number>(slice: Readonly<Record<string, unknown>>, name: string, initial: T): T {
  const value = slice[name];
  // Go treats an empty string as absent; so do we, or a blank group would lead nowhere.
  if (value === undefined || value === null || value === '') return initial;
  if (typeof value !== typeof initial) throw invalid(name, value, `a ${typeof initial}`);
  return value as T;
}

function invalid(name: string, value: unknown, expected: string): EdgeError {
  return new EdgeError('config.invalid', `${CONFIG_PATH}.${name} is ${JSON.stringify(value)}, it must be ${expected}`);
}
