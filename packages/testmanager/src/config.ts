import { EdgeError, token, type ConfigSlice, type Token } from '@edge/core';
import { isFields } from '@edge/protocol';

/** The slice `modules.dbTest`, with `edge.testManager`. */
export interface TestManagerConfig {
  /** Default false, as upstream. */
  readonly enable: boolean;
  /** On the loopback. Default 12345. */
  readonly port: number;
}

export const TestManagerConfig: Token<TestManagerConfig> = token<TestManagerConfig>('testmanager', 'TestManagerConfig');

/** Where the slice lies in `edgecore.yaml`. */
export const CONFIG_PATH = 'modules.dbTest';

type Tree = Readonly<Record<string, unknown>>;

/** @throws EdgeError `config.invalid` naming the member, its value and what would be right */
export function parseTestManagerConfig(raw: unknown, root: Tree = {}): TestManagerConfig {
  const { enable = false } = section(raw);
  const { port = 12_345 } = section(section(root['edge'])['testManager']);
  if (typeof enable !== 'boolean') throw invalid(`${CONFIG_PATH}.enable`, enable, 'true or false');
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65_535) throw invalid('edge.testManager.port', port, 'a port from 1 to 65535');
  return { enable, port };
}

function section(value: unknown): Tree {
  return isFields(value) ? value : {};
}

function invalid(path: string, value: unknown, right: string): EdgeError {
  return new EdgeError('config.invalid', `${path} is ${JSON.stringify(value)}, it must be ${right}`);
}

export const config: ConfigSlice<TestManagerConfig> = { path: CONFIG_PATH, token: TestManagerConfig, parse: parseTestManagerConfig };
