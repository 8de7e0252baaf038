import { constants } from 'node:fs';
import { access, mkdir } from 'node:fs/promises';
import { errorText } from '@edge/core';
import { edgedError } from './errors.js';

/**
 * Makes the directory of volumes and other files of pods where it is missing.
 * @throws EdgeError `edged.root-directory` when this user cannot write there
 */
export async function prepareRoot(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
    await access(directory, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw edgedError(
      'edged.root-directory',
      `modules.edged.rootDirectory is ${directory}, which this user cannot write (${errorText(cause)}): give it to the user or name another directory`,
      cause,
    );
  }
}
