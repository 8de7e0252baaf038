import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/**
 * Says why a command cannot be started, in the words people know from container runtimes; undefined when it can.
 * A name without a slash is looked for in `path`, another one below `directory`.
 */
export async function commandProblem(command: string, path: string, directory: string): Promise<string | undefined> {
  if (command.includes('/')) {
    const found = await look(resolve(directory, command));
    return found === 'executable' ? undefined : `exec: ${JSON.stringify(command)}: ${found === 'absent' ? 'no such file or directory' : 'permission denied'}`;
  }
  let denied = false;
  for (const folder of path.split(':')) {
    const found = await look(resolve(directory, join(folder, command)));
    if (found === 'executable') return undefined;
    if (found === 'denied') denied = true;
  }
  return `exec: ${JSON.stringify(command)}: ${denied ? 'permission denied' : 'executable file not found in $PATH'}`;
}

async function look(file: string): Promise<'executable' | 'denied' | 'absent'> {
  try {
    if (!(await stat(file)).isFile()) return 'denied';
    await access(file, constants.X_OK);
    return 'executable';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? 'denied' : 'absent';
  }
}
