import { edgedError } from '../errors.js';

/** A name of an image, taken apart. */
export interface ImageName {
  /** As the runtime is asked for it: what the pod says, with `:latest` when it names neither tag nor digest. */
  readonly asked: string;
  /** `docker.io`, `registry.example:5000`. */
  readonly registry: string;
  /** With the registry and without tag and digest: `docker.io/library/busybox`. What credentials are chosen by. */
  readonly repository: string;
  /** Undefined when there is a digest and no tag. */
  readonly tag: string | undefined;
}

const COMPONENT = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const PATH = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const REGISTRY = /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^(?:sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128})$/;
const LONGEST_NAME = 255;

/**
 * Reads a name as people write it: `busybox` stands for `docker.io/library/busybox:latest`.
 * @throws EdgeError `edged.image-name`
 */
export function parseImageName(text: string): ImageName {
  const [named = '', digest, ...more] = text.split('@');
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  const [name, tag] = colon < 0 ? [named, undefined] : [named.slice(0, colon), named.slice(colon + 1)];
  const [registry, path] = splitRegistry(name);
  const problem =
    more.length > 0 || (digest !== undefined && !DIGEST.test(digest))
      ? 'its digest has another form than sha256:… with 64 hexadecimal digits'
      : tag !== undefined && !TAG.test(tag)
        ? `"${tag}" is no tag`
        : /^[a-f0-9]{64}$/.test(name)
          ? '64 hexadecimal digits are an id and no name'
          : registry.length + path.length >= LONGEST_NAME || !REGISTRY.test(registry) || !PATH.test(path)
            ? 'names are of lower-case letters, digits, and . _ - between them'
            : undefined;
  if (problem !== undefined) throw edgedError('edged.image-name', `"${text}" is no name of an image: ${problem}`);
  return {
    asked: tag === undefined && digest === undefined ? `${text}:latest` : text,
    registry,
    repository: `${registry}/${path}`,
    tag: tag ?? (digest === undefined ? 'latest' : undefined),
  };
}

/** A first part counts as a registry when it looks like a host: it holds a dot, a colon or a capital, or is `localhost`. */
function splitRegistry(name: string): readonly [registry: string, path: string] {
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(0, slash));
  const isHost = /[.:A-Z]/.test(first) || first === 'localhost';
  const registry = !isHost || first === 'index.docker.io' ? 'docker.io' : first;
  const path = isHost ? name.slice(slash + 1) : name;
  return [registry, registry === 'docker.io' && !path.includes('/') ? `library/${path}` : path];
}
