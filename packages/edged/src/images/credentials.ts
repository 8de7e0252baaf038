import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { errorText, isAbort, type ImageAuth, type Logger } from '@edge/core';
import type { Pod, Secret } from '@edge/protocol';
import type { ObjectReader } from '../apply/object-reader.js';
import { objectKey, type ObjectReference } from '../plan/references.js';
import { edgedError } from '../errors.js';
import type { ImageName } from './image-name.js';
import { credentialsFor, parseAuthConfig, parseDockerConfig, type RegistryCredentials } from './keyring.js';

const FORMS = [
  ['.dockerconfigjson', 'config'],
  ['.dockercfg', 'dockercfg'],
] as const;

/** Finds out with whose name an image can be pulled: the pod's pull secrets, then the files of the node. */
export class Credentials {
  readonly #objects: ObjectReader;
  readonly #log: Logger;
  readonly #places: readonly { readonly path: string; readonly form: 'config' | 'dockercfg' }[];

  /** @param rootDirectory where the node's own credentials are looked for first */
  constructor(deps: { rootDirectory: string; objects: ObjectReader; log: Logger }) {
    this.#objects = deps.objects;
    this.#log = deps.log;
    const { rootDirectory } = deps;
    const config = [rootDirectory, process.cwd(), join(homedir(), '.docker'), '/.docker'].map((folder) => join(folder, 'config.json'));
    const dockercfg = [rootDirectory, process.cwd(), homedir(), '/'].map((folder) => join(folder, '.dockercfg'));
    this.#places = [...config.map((path) => ({ path, form: 'config' as const })), ...dockercfg.map((path) => ({ path, form: 'dockercfg' as const }))];
  }

  /**
   * What to try, in this order; empty: nobody has given any credentials for this image.
   * @param missing told the names of secrets that cannot be had: the image may be public all the same
   */
  async for(pod: Pod, name: ImageName, missing: (names: readonly string[]) => void, signal: AbortSignal): Promise<ImageAuth[]> {
    const [ofPod, ofNode] = await Promise.all([this.#ofPod(pod, missing, signal), this.#ofNode()]);
    return [...credentialsFor(name, ofPod), ...credentialsFor(name, ofNode)];
  }

  /**
   * What to try for an image that no pod wants: a secret's, which may also be for one registry without naming it (upstream's
   * jobs read it so), then the files of the node.
   * @param secret `namespace/name`; empty: none
   * @throws EdgeError `edged.bad-answer` when there is no such secret, or no credentials in it; what `ObjectReader` throws
   */
  async ordered(name: ImageName, secret: string, signal: AbortSignal): Promise<ImageAuth[]> {
    const ofNode = credentialsFor(name, await this.#ofNode());
    if (secret === '') return ofNode;
    const [namespace = '', own = '', ...more] = secret.split('/');
    if (namespace === '' || own === '' || more.length > 0) throw edgedError('edged.bad-answer', `pull secret "${secret}" must be of the form namespace/name`);
    const reference: ObjectReference = { kind: 'secret', name: own };
    const found = (await this.#objects.fetch(namespace, [reference], signal)).get(objectKey(reference)) as Secret | undefined;
    if (!found) throw edgedError('edged.bad-answer', `there is no pull secret "${secret}"`);
    const [ring, whole] = [readSecret(found), wholeSecret(found)];
    if (ring.length === 0 && !whole) throw edgedError('edged.bad-answer', `there are no credentials in pull secret "${secret}"`);
    return [...credentialsFor(name, ring), ...(whole ? [whole] : []), ...ofNode];
  }

  async #ofPod(pod: Pod, missing: (names: readonly string[]) => void, signal: AbortSignal): Promise<RegistryCredentials[]> {
    const lost: string[] = [];
    const found = await Promise.all(
      (pod.spec.imagePullSecrets ?? []).map(async ({ name }) => {
        const secret = await this.#secret(pod.metadata.namespace ?? '', name, signal);
        if (!secret) lost.push(name);
        return secret ? readSecret(secret) : [];
      }),
    );
    if (lost.length > 0) missing(lost);
    return found.flat();
  }

  async #secret(namespace: string, name: string, signal: AbortSignal): Promise<Secret | undefined> {
    const reference: ObjectReference = { kind: 'secret', name };
    try {
      return (await this.#objects.fetch(namespace, [reference], signal)).get(objectKey(reference)) as Secret | undefined;
    } catch (error) {
      if (isAbort(error)) throw error;
      this.#log.verbose(1, 'pull secret cannot be had now', { secret: `${namespace}/${name}`, err: errorText(error) });
      return undefined;
    }
  }

  /** The first file that is there and holds something. Read each time: pulls are rare, and who changes it wants it to count. */
  async #ofNode(): Promise<RegistryCredentials[]> {
    for (const { path, form } of this.#places) {
      const content = await readFile(path, 'utf8').catch(() => undefined);
      const found = content === undefined ? [] : parseText(content, form);
      if (found.length > 0) return found;
    }
    return [];
  }
}

function readSecret({ data = {} }: Secret): RegistryCredentials[] {
  return FORMS.flatMap(([key, form]) => {
    const value = data[key];
    return value === undefined ? [] : parseText(Buffer.from(value, 'base64').toString('utf8'), form);
  });
}

/** Credentials that stand in the secret without the name of a registry. */
function wholeSecret({ data = {} }: Secret): ImageAuth | undefined {
  try {
    return parseAuthConfig(JSON.parse(Buffer.from(data['.dockerconfigjson'] ?? '', 'base64').toString('utf8')));
  } catch {
    return undefined;
  }
}

function parseText(content: string, form: 'config' | 'dockercfg'): RegistryCredentials[] {
  try {
    return parseDockerConfig(JSON.parse(content), form);
  } catch {
    return [];
  }
}
