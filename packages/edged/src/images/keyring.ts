import type { ImageAuth } from '@edge/core';
import type { ImageName } from './image-name.js';

/** Credentials for the repositories that a pattern stands for: `registry.example`, `*.example:5000/team`. */
export interface RegistryCredentials {
  readonly host: string;
  readonly port: string;
  /** Begins with a slash, or is empty for the whole registry. */
  readonly path: string;
  readonly auth: ImageAuth;
}

interface DockerEntry {
  readonly username?: unknown;
  readonly password?: unknown;
  readonly auth?: unknown;
  readonly identitytoken?: unknown;
  readonly registrytoken?: unknown;
}

const DOCKER_HUB = new Set(['index.docker.io', 'docker.io', 'registry-1.docker.io']);

/**
 * Reads the two forms in which Docker keeps credentials: `{"auths": {…}}` (`config.json`, `.dockerconfigjson`), and the
 * inner part alone (`.dockercfg`). What has another form brings nothing: other entries may still serve.
 */
export function parseDockerConfig(content: unknown, form: 'config' | 'dockercfg'): RegistryCredentials[] {
  const entries = form === 'config' ? record(content)['auths'] : content;
  return Object.entries(record(entries)).flatMap(([pattern, entry]) => {
    const auth = authOf(record(entry));
    return auth ? [{ ...parsePattern(pattern), auth }] : [];
  });
}

/** Reads what CRI calls AuthConfig: credentials without a registry. Undefined when there are none in it. */
export function parseAuthConfig(content: unknown): ImageAuth | undefined {
  const { identity_token: identitytoken, registry_token: registrytoken, ...entry } = record(content);
  return authOf({ identitytoken, registrytoken, ...entry });
}

/** The credentials to try for an image, the most specific pattern first; each once. */
export function credentialsFor(name: ImageName, keyring: readonly RegistryCredentials[]): ImageAuth[] {
  const path = name.repository.slice(name.registry.length);
  const [host = '', port = ''] = splitPort(name.registry);
  const fitting = keyring.filter((one) => {
    const isHub = host === 'docker.io' && DOCKER_HUB.has(one.host);
    return (isHub || hostFits(one.host, host)) && one.port === port && path.startsWith(one.path);
  });
  const specific = (one: RegistryCredentials): number => one.path.length * 1_000 + one.host.replaceAll('*', '').length;
  const ordered = [...fitting].sort((a, b) => specific(b) - specific(a)).map(({ auth }) => auth);
  return [...new Map(ordered.map((auth) => [JSON.stringify(auth), auth])).values()];
}

/** `https://host:port/v1/path/`: scheme, API version and a slash at the end mean nothing. */
function parsePattern(text: string): Omit<RegistryCredentials, 'auth'> {
  const plain = text.replace(/^https?:\/\//, '');
  const slash = plain.indexOf('/');
  const [host, port] = splitPort(slash < 0 ? plain : plain.slice(0, slash));
  const path = slash < 0 ? '' : plain.slice(slash).replace(/^\/v[12](?=\/|$)/, '').replace(/\/+$/, '');
  return { host, port, path };
}

function splitPort(registry: string): readonly [host: string, port: string] {
  const colon = /^\[/.test(registry) ? registry.indexOf(':', registry.indexOf(']')) : registry.indexOf(':');
  return colon < 0 ? [registry, ''] : [registry.slice(0, colon), registry.slice(colon + 1)];
}

/** A star stands for any characters within one part between dots. */
function hostFits(pattern: string, host: string): boolean {
  const parts = host.split('.');
  const wanted = pattern.split('.');
  return parts.length === wanted.length && wanted.every((glob, index) => globFits(glob, parts[index] ?? ''));
}

function globFits(glob: string, text: string): boolean {
  if (!/[*?]/.test(glob)) return glob === text;
  const source = glob.replace(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*').replaceAll('?', '.');
  return new RegExp(`^${source}$`).test(text);
}

function authOf(entry: DockerEntry): ImageAuth | undefined {
  const [decodedUser, decodedPassword] = decode(entry.auth);
  const username = text(entry.username) ?? decodedUser;
  const password = text(entry.password) ?? decodedPassword;
  const identityToken = text(entry.identitytoken);
  const registryToken = text(entry.registrytoken);
  if (username === undefined && identityToken === undefined && registryToken === undefined) return undefined;
  return {
    ...(username === undefined ? {} : { username, password: password ?? '' }),
    ...(identityToken === undefined ? {} : { identityToken }),
    ...(registryToken === undefined ? {} : { registryToken }),
  };
}

/** `base64(user:password)`; the password may hold colons. */
function decode(auth: unknown): readonly [username?: string, password?: string] {
  const decoded = Buffer.from(text(auth) ?? '', 'base64').toString('utf8').replace(/\0+$/, '');
  const colon = decoded.indexOf(':');
  return colon < 0 ? [] : [decoded.slice(0, colon), decoded.slice(colon + 1)];
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
