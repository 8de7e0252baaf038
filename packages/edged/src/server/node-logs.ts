import { createReadStream } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { errorCode } from '@edge/core';
import { ApiFault, type ApiAnswer } from './answer.js';
import type { Handler } from './router.js';

/**
 * `/logs/`: files of the node's log directory, and lists of its folders.
 * @param roots absolute directories; files are looked for in the first, and links must not lead out of all of them
 */
export function nodeLogs(roots: readonly [string, ...string[]]): Handler {
  return async ({ params }): Promise<ApiAnswer> => {
    const wanted = params['path'] ?? '';
    const path = await inside(roots, wanted);
    const found = await stat(path);
    if (found.isDirectory()) return { type: 'text/html; charset=utf-8', body: await listing(path) };
    // Reading a pipe would wait for ever.
    if (!found.isFile()) throw new ApiFault(404, `${wanted} is no file`);
    // Not beyond its present end: a file that grows faster than the client reads would never be done.
    return found.size === 0 ? { body: '' } : { body: createReadStream(path, { end: found.size - 1 }) };
  };
}

async function inside(roots: readonly [string, ...string[]], wanted: string): Promise<string> {
  try {
    const path = await realpath(join(roots[0], wanted));
    const allowed = await Promise.all(roots.map((root) => realpath(root).catch(() => undefined)));
    if (allowed.some((root) => root !== undefined && (path === root || path.startsWith(root + sep)))) return path;
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'ERR_INVALID_ARG_VALUE'].includes(errorCode(error))) throw error;
  }
  throw new ApiFault(404, '404 page not found');
}

async function listing(directory: string): Promise<string> {
  const entries = await readdir(directory, { withFileTypes: true });
  const names = entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name)).sort();
  return `<pre>\n${names.map((name) => `<a href="${encodeURIComponent(name).replaceAll('%2F', '/')}">${escapeHtml(name)}</a>\n`).join('')}</pre>\n`;
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&#34;');
}
