import { constants } from 'node:fs';
import { open, realpath, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { errorCode } from '@edge/core';
import { ConfigError } from '../errors.js';
import { readTextFile } from '../files.js';
import { edit, type Change } from './edit.js';

/**
 * Changes single values of a configuration file and leaves all else as it is: comments, order, blanks, line ends,
 * mode and owner. The file is replaced in one step and is on disk when this resolves. Resolves to `false`, without
 * touching the file, when it already says so. Throws `ConfigError`, also when the file cannot be edited safely.
 */
export async function writeBack(path: string, changes: readonly Change[]): Promise<boolean> {
  const before = await readTextFile(path);
  const after = edit(before, changes);
  if (after === undefined)
    throw new ConfigError('config.unwritable', [{ kind: 'file', path: '', expected: 'it is not valid YAML, or cannot be changed at that place' }], { file: path });
  if (after === before) return false;
  try {
    // A link stays a link: what it points to is replaced.
    await replace(await realpath(path), after);
  } catch (error) {
    throw new ConfigError('config.unwritable', [{ kind: 'file', path: '', expected: `it cannot be written (${errorCode(error)})` }], { file: path, cause: error });
  }
  return true;
}

async function replace(path: string, text: string): Promise<void> {
  const directory = dirname(path);
  const temporary = join(directory, `.${basename(path)}.${randomUUID()}`);
  const { mode, uid, gid } = await stat(path);
  try {
    {
      // The token may be inside: nobody else reads it before mode and owner are right.
      await using file = await open(temporary, 'wx', 0o600);
      await file.writeFile(text);
      const made = await file.stat();
      if (made.uid !== uid || made.gid !== gid) await file.chown(uid, gid);
      await file.chmod(mode & 0o7777);
      await file.sync();
    }
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
  await using folder = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  await folder.sync();
}
