import { readFile } from 'node:fs/promises';
import { errorText } from '@edge/core';
import { edgedError } from '../errors.js';

/** What a resolver file says. */
export interface Resolver {
  readonly servers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

export const NO_RESOLVER: Resolver = { servers: [], searches: [], options: [] };

const DEFAULT_FILE = '/etc/resolv.conf';
/** Where systemd-resolved writes the servers that it asks itself. */
const BEHIND_STUB = '/run/systemd/resolve/resolv.conf';

/**
 * Reads the resolver file that pods inherit from. The machine's own file often names only a helper on the loopback
 * address, which pods with a network of their own cannot reach; then the servers behind it count.
 * @param path empty for none
 * @throws EdgeError `edged.resolver`
 */
export async function readResolver(path: string): Promise<Resolver> {
  if (path === '') return NO_RESOLVER;
  const found = parseResolver(await read(path));
  if (path !== DEFAULT_FILE || !onlyLoopback(found)) return found;
  const behind = await readFile(BEHIND_STUB, 'utf8').catch(() => undefined);
  return behind === undefined ? found : parseResolver(behind);
}

/** Reads the text of a resolver file: servers add up, of search lines the last counts, options override each other by name. */
export function parseResolver(text: string): Resolver {
  const servers: string[] = [];
  let searches: string[] = [];
  let options: readonly string[] = [];
  for (const line of text.split('\n')) {
    const [key, ...values] = line.trim().split(/\s+/);
    if (key === 'nameserver' && values[0] !== undefined) servers.push(values[0]);
    if (key === 'search') searches = values.filter((domain) => domain !== '.').map((domain) => domain.replace(/\.$/, ''));
    if (key === 'options') options = mergeOptions(options, values);
  }
  return { servers, searches, options };
}

/** Later options take the place of earlier ones of the same name. */
export function mergeOptions(earlier: readonly string[], later: readonly string[]): string[] {
  const byName = new Map<string, string>();
  for (const option of [...earlier, ...later]) byName.set(option.split(':', 1)[0] ?? '', option);
  return [...byName.values()];
}

function onlyLoopback({ servers }: Resolver): boolean {
  return servers.length > 0 && servers.every((server) => server.startsWith('127.') || server === '::1');
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw edgedError('edged.resolver', `the resolver file ${path} (modules.edged.tailoredKubeletConfig.resolvConf) cannot be read: ${errorText(cause)}`, cause);
  }
}
