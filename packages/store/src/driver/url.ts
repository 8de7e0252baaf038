import { pathToFileURL } from 'node:url';

/** Databases are opened by URL, because only then does ATTACH understand URLs, and with them modes such as `ro`. */
export function databaseUrl(path: string | undefined, mode?: 'ro' | 'rw'): string {
  if (path === undefined) return 'file::memory:';
  return pathToFileURL(path).href + (mode === undefined ? '' : `?mode=${mode}`);
}
