import { readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { errorCode, errorText } from '@edge/core';
import { replaceFile } from '@edge/upgrade';
import { ModuleErrors, moduleError } from './errors.js';
import { readRoleDocument, withRole, type RoleDocument, type RoleEntry } from './role-document.js';

/** Name of the role file, which lies beside the configuration. */
export const ROLE_FILE = 'edge-modules.yaml';

/** The roles that this node gives to packages of its own choice. */
export interface RoleFile extends RoleDocument {
  readonly path: string;
  readonly exists: boolean;
}

/** Where the role file of a configuration is. */
export function roleFilePath(configPath: string): string {
  return join(dirname(resolve(configPath)), ROLE_FILE);
}

/** Reads the role file beside a configuration; folders in it are seen from its own. Never throws: what is wrong is among its problems. */
export async function readRoleFile(configPath: string): Promise<RoleFile> {
  const path = roleFilePath(configPath);
  try {
    const { entries, problems } = readRoleDocument(await readFile(path, 'utf8'));
    return { path, exists: true, problems, entries: new Map([...entries].map(([role, entry]) => [role, rooted(entry, path)])) };
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return noRoleFile(path);
    return { path, exists: true, entries: new Map(), problems: [{ text: `cannot be read: ${errorText(error)}` }] };
  }
}

/** A role file that says nothing: the built-in modules play all roles. */
export function noRoleFile(path: string): RoleFile {
  return { path, exists: false, entries: new Map(), problems: [] };
}

/**
 * Gives a role to a package, or with `undefined` back to the built-in module. The file is replaced in one step and on the disk
 * when this resolves; comments and other entries stay.
 * @throws EdgeError `modules.role-file` when the file is no role file, or cannot be written
 */
export async function writeRole(configPath: string, role: string, entry: RoleEntry | undefined): Promise<void> {
  const path = roleFilePath(configPath);
  try {
    const before = await readFile(path, 'utf8').catch(emptyIfAbsent);
    if (before === undefined && entry === undefined) return;
    const after = withRole(before ?? '', role, entry);
    if ('problem' in after) throw moduleError(ModuleErrors.roleFile, `${path} was not changed: ${after.problem}`);
    if (after.text !== before) await replaceFile(path, after.text, before === undefined ? 0o644 : (await stat(path)).mode & 0o777);
  } catch (cause) {
    if (errorCode(cause) === ModuleErrors.roleFile) throw cause;
    throw moduleError(ModuleErrors.roleFile, `${path} cannot be written`, cause);
  }
}

function rooted(entry: RoleEntry, path: string): RoleEntry {
  return entry.folder === undefined ? entry : { ...entry, folder: resolve(dirname(path), entry.folder) };
}

function emptyIfAbsent(error: unknown): undefined {
  if (errorCode(error) === 'ENOENT') return undefined;
  throw error;
}
