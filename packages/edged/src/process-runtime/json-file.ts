import { open, readFile, rename } from 'node:fs/promises';

/**
 * Writes a file that a reader sees whole or not at all; with `durable` this holds also after a loss of power.
 * Readable by its owner only.
 */
export async function writeJson(path: string, value: unknown, durable: boolean): Promise<void> {
  const next = `${path}.next`;
  {
    await using file = await open(next, 'w', 0o600);
    await file.writeFile(JSON.stringify(value));
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
