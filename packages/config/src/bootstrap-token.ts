import { errorCode } from '@edge/core';
import { ConfigError } from './errors.js';
import { readTextFile } from './files.js';
import { freeze } from './freeze.js';
import type { EdgeCoreConfig } from './schema/schema.js';

export const BOOTSTRAP_FILE = '/etc/kubeedge/bootstrap-edgecore.conf';

/**
 * The configuration with the token of the bootstrap file, where there is such a file with something in it; else the
 * same configuration. The token lives in memory only: nothing here writes it anywhere.
 * Throws `ConfigError` (`config.unreadable`) when the file is there and cannot be read.
 */
export async function withBootstrapToken(config: EdgeCoreConfig, path: string = BOOTSTRAP_FILE): Promise<EdgeCoreConfig> {
  let token: string;
  try {
    token = (await readTextFile(path)).trim();
  } catch (error) {
    if (error instanceof ConfigError && errorCode(error) === 'config.missing') return config;
    throw error;
  }
  if (token === '') return config;
  const { modules } = config;
  return freeze({ ...config, modules: { ...modules, edgeHub: { ...modules.edgeHub, token } } });
}
