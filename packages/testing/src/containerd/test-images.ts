import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { imageArchive, imageParts, type ImageConfig, type ImageParts } from './image.js';
import { tar, type TarEntry } from './tar.js';

/** An image to build: busybox (unless `base` is `scratch`), and above it `files`. */
export interface ImageRecipe {
  /** Full reference with tag: `localhost/edge/mine:1`. */
  readonly name: string;
  readonly base?: 'busybox' | 'scratch';
  readonly files?: readonly TarEntry[];
  /** Laid over the base's, which has a PATH and, where there is no entry point, the command `sh`. */
  readonly config?: ImageConfig;
}

/** The shell image that every kit has: busybox with all its applets, users root, nobody (65534) and edge (1000). */
export const BUSYBOX_IMAGE = 'localhost/edge/busybox:1';
/** The sandbox image that every kit has. */
export const PAUSE_IMAGE = 'localhost/edge/pause:1';

/** Debian's statically linked busybox. */
export const BUSYBOX_PROGRAM = '/bin/busybox';

// Equal for the life of a process, 2 MB to read and 300 links to make.
let busyboxLayer: Buffer | undefined;
const archives = new Map<string, Buffer>();

/** The image as an archive for import. Equal recipes are built once in a process. */
export function buildImage(recipe: ImageRecipe): Buffer {
  const key = JSON.stringify(recipe);
  const archive = archives.get(key) ?? imageArchive(recipe.name, buildImageParts(recipe));
  archives.set(key, archive);
  return archive;
}

/** The same, in parts, as a registry serves it. */
export function buildImageParts(recipe: ImageRecipe): ImageParts {
  const config = { Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'], ...(recipe.config?.Entrypoint ? {} : { Cmd: ['sh'] }), ...recipe.config };
  const base = recipe.base === 'scratch' ? [] : [(busyboxLayer ??= tar(busyboxFiles()))];
  return imageParts([...base, ...(recipe.files ? [tar(recipe.files)] : [])], config);
}

/** What every kit imports at its start. */
export function standardImages(): readonly ImageRecipe[] {
  return [
    { name: BUSYBOX_IMAGE },
    // The first process of a shared PID namespace: busybox's `init` would want a console, `sleep` leaves no zombie that matters here.
    { name: PAUSE_IMAGE, config: { Entrypoint: ['/bin/busybox', 'sleep', '2147483647'] } },
  ];
}

function busyboxFiles(): readonly TarEntry[] {
  const applets = execFileSync(BUSYBOX_PROGRAM, ['--list'], { encoding: 'utf8' }).split('\n').filter((name) => name && name !== 'busybox');
  return [
    ...['bin', 'dev', 'etc', 'home', 'proc', 'root', 'sys', 'usr', 'usr/bin', 'var', 'var/run'].map((path) => ({ path, folder: true })),
    { path: 'tmp', folder: true, mode: 0o1777 },
    { path: 'bin/busybox', content: readFileSync(BUSYBOX_PROGRAM), mode: 0o755 },
    ...applets.map((name) => ({ path: `bin/${name}`, link: '/bin/busybox' })),
    { path: 'etc/passwd', content: 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\nedge:x:1000:1000:edge:/home:/bin/sh\n' },
    { path: 'etc/group', content: 'root:x:0:\nnogroup:x:65534:\nedge:x:1000:\nextra:x:2000:edge\n' },
  ];
}
