import { randomBytes } from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';

/** As `writeText`, of a value. */
export async function writeJson(path: string, value: unknown, durable: boolean): Promise<void> {
  await writeText(path, JSON.stringify(value), durable);
}

/**
 * Writes a file that a reader sees whole or not at all, also one that has opened it before and one beside another writer:
 * an agent may take over while what the killed one has started still reads. With `durable` this holds also after a loss of
 * power. Readable by its owner only.
 */
export async function writeText(path: string, text: string, durable: boolean): Promise<void> {
  const next = `${path}.${randomBytes(6).toString('hex')}.next`;
  {
    await using file = await open(next, 'wx', 0o600);
    await file.writeFile(text);
    if (durable) await file.sync();
  }
  await rename(next, path);
}

/** The file's value, or undefined when it is absent or not JSON (the disk lost it). */
export async function readJson<T>(path: string): Promise<T | undefined> {
  const text = await readText(path);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch {
    return undefined;
  }
}

/** The file's text, or undefined when it is absent. */
export async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
