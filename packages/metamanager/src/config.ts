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
  /** File with the key of stored service account tokens: `edge.metaManager.tokenKeyFile`. Default: beside the database. */
  readonly tokenKeyFile: string;
}

export const MetaManagerConfig: Token<MetaManagerConfig> = token<MetaManagerConfig>('metamanager', 'MetaManagerConfig');

/** Where the slice lies in `edgecore.yaml`. */
export const CONFIG_PATH = 'modules.metaManager';

type Tree = Readonly<Record<string, unknown>>;

/**
 * Reads the slice; what is missing gets its default.
 * @param root the whole configuration
 * @throws EdgeError `config.invalid` naming the member
 */
export function parseMetaManagerConfig(raw: unknown, root: Tree): MetaManagerConfig {
  const slice = (raw ?? {}) as Tree;
  const config = {
    enable: member(slice, 'enable', true),
    contextSendGroup: member(slice, 'contextSendGroup', 'hub'),
    contextSendModule: member(slice, 'contextSendModule', 'websocket'),
    remoteQueryTimeout: member(slice, 'remoteQueryTimeout', 60),
    tokenKeyFile: tokenKeyFile(root),
  };
  if (!(config.remoteQueryTimeout > 0) || config.remoteQueryTimeout > 86_400) {
    throw invalid(`${CONFIG_PATH}.remoteQueryTimeout`, config.remoteQueryTimeout, 'a number of seconds between 1 and 86400');
  }
  return config;
}

function tokenKeyFile(root: Tree): string {
  const given = below(below(root, 'edge'), 'metaManager')['tokenKeyFile'] ?? '';
  if (typeof given !== 'string') throw invalid('edge.metaManager.tokenKeyFile', given, 'the path of a file');
  const database = below(root, 'database')['dataSource'];
  return given || `${typeof database === 'string' && database !== '' ? database : '/var/lib/kubeedge/edgecore.db'}.token-key`;
}

function below(tree: Tree, name: string): Tree {
  const value = tree[name];
  return typeof value === 'object' && value !== null ? (value as Tree) : {};
}

function member<T extends boolean | string | number>(slice: Readonly<Record<string, unknown>>, name: string, initial: T): T {
  const value = slice[name];
  // Go treats an empty string as absent; so do we, or a blank group would lead nowhere.
  if (value === undefined || value === null || value === '') return initial;
  if (typeof value !== typeof initial) throw invalid(`${CONFIG_PATH}.${name}`, value, `a ${typeof initial}`);
  return value as T;
}

function invalid(path: string, value: unknown, expected: string): EdgeError {
  return new EdgeError('config.invalid', `${path} is ${JSON.stringify(value)}, it must be ${expected}`);
}
