import { stat } from 'node:fs/promises';

/** Tells a file from one that was made later at the same path; undefined when there is none. */
export async function fileIdentity(path: string): Promise<string | undefined> {
  try {
    const { dev, ino, birthtimeMs } = await stat(path);
    return `${dev}-${ino}-${birthtimeMs}`;
  } catch {
    return undefined;
  }
}
