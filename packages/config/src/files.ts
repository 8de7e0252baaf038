import { constants } from 'node:fs';
import { access, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode } from '@edge/core';
import { ConfigError, type ConfigProblem } from './errors.js';
import type { HostFacts } from './host.js';
import { loadConfig, type LoadedConfig } from './load.js';
import { MAX_BYTES } from './yaml/limits.js';

/**
 * Reads and validates a configuration file. Beyond `loadConfig` it looks whether the database's directory can be made;
 * unlike upstream it makes none. Throws `ConfigError`: `config.missing`, `config.unreadable` or `config.invalid`.
 */
export async function readConfigFile(path: string, host: HostFacts): Promise<LoadedConfig> {
  const text = await readTextFile(path);
  try {
    const loaded = loadConfig(text, host);
    const problem = await databaseDirectory(loaded.config.database.dataSource);
    if (problem !== undefined) throw new ConfigError('config.invalid', [problem], { warnings: loaded.warnings });
    return loaded;
  } catch (error) {
    if (error instanceof ConfigError) throw new ConfigError(error.code, error.problems, { file: path, warnings: error.warnings, cause: error.cause });
    throw error;
  }
}

/** The text of a small regular file, strictly UTF-8. Never waits for a pipe and never reads more than the limit. */
export async function readTextFile(path: string): Promise<string> {
  const refuse = (code: 'config.missing' | 'config.unreadable', expected: string, cause?: unknown): ConfigError =>
    new ConfigError(code, [{ kind: 'file', path: '', expected }], { file: path, cause });
  try {
    // Without O_NONBLOCK the opening of a named pipe would wait for a writer.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const status = await file.stat();
    if (!status.isFile()) throw refuse('config.unreadable', 'it is no regular file');
    if (status.size > MAX_BYTES) throw refuse('config.unreadable', `it is larger than ${MAX_BYTES} bytes, which is no configuration of an edge node`);
    const buffer = Buffer.alloc(MAX_BYTES + 1);
    let length = 0;
    for (let read = 1; read > 0 && length < buffer.length; length += read) read = (await file.read(buffer, length, buffer.length - length, null)).bytesRead;
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(buffer.subarray(0, length));
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    if (error instanceof TypeError) throw refuse('config.unreadable', 'it is not text in UTF-8', error);
    if (errorCode(error) === 'ENOENT') throw refuse('config.missing', 'there is no such file; "edgecore join" writes one for a cloud, "edgecore --minconfig" prints one to begin with', error);
    throw refuse('config.unreadable', `it cannot be read (${errorCode(error)})`, error);
  }
}

async function databaseDirectory(file: string): Promise<ConfigProblem | undefined> {
  const trouble = (expected: string): ConfigProblem => ({ kind: 'value', path: 'database.dataSource', value: JSON.stringify(file), expected });
  for (let directory = dirname(file); ; directory = dirname(directory)) {
    try {
      if (!(await stat(directory)).isDirectory()) return trouble(`should be in a directory; ${directory} is a file`);
      await access(directory, constants.W_OK);
      return undefined;
    } catch (error) {
      const code = errorCode(error);
      if (code === 'ENOTDIR' && directory !== dirname(directory)) continue;
      if (code !== 'ENOENT') return trouble(`should be in a directory this user may write to; ${directory} is not (${code})`);
      if (directory === dirname(directory)) return undefined;
    }
  }
}
