import { createHash } from 'node:crypto';
import { tar, type TarEntry } from './tar.js';

/** What an image says of the process it is for; the names are those of the image format. */
export interface ImageConfig {
  readonly User?: string;
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly WorkingDir?: string;
  readonly StopSignal?: string;
  readonly Volumes?: Readonly<Record<string, object>>;
  readonly ExposedPorts?: Readonly<Record<string, object>>;
  readonly Labels?: Readonly<Record<string, string>>;
}

/** The parts of an image: blobs by digest, and the manifest that names them. */
export interface ImageParts {
  readonly manifest: Blob;
  readonly blobs: readonly Blob[];
}

/** Bytes that are named by their hash. */
export interface Blob {
  readonly mediaType: string;
  /** `sha256:…` */
  readonly digest: string;
  readonly bytes: Buffer;
}

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

/** An image of these layers (uncompressed archives, lowest first) for this machine's architecture. */
export function imageParts(layers: readonly Buffer[], config: ImageConfig): ImageParts {
  const layerBlobs = layers.map((bytes) => blob('application/vnd.oci.image.layer.v1.tar', bytes));
  const description = jsonBlob('application/vnd.oci.image.config.v1+json', {
    architecture: ARCHITECTURES[process.arch] ?? process.arch,
    os: 'linux',
    created: '1970-01-01T00:00:00Z',
    config,
    rootfs: { type: 'layers', diff_ids: layerBlobs.map(({ digest }) => digest) },
  });
  const manifest = jsonBlob(MANIFEST, { schemaVersion: 2, mediaType: MANIFEST, config: descriptor(description), layers: layerBlobs.map(descriptor) });
  return { manifest, blobs: [description, ...layerBlobs] };
}

/** The image as one archive in the OCI layout, which `ctr images import` reads. `name` is a full reference with tag. */
export function imageArchive(name: string, { manifest, blobs }: ImageParts): Buffer {
  const index = { schemaVersion: 2, manifests: [{ ...descriptor(manifest), annotations: { 'io.containerd.image.name': name } }] };
  const unique = new Map([manifest, ...blobs].map((one) => [one.digest, one.bytes]));
  const files: TarEntry[] = [...unique].map(([digest, content]) => ({ path: `blobs/${digest.replace(':', '/')}`, content }));
  return tar([
    { path: 'oci-layout', content: JSON.stringify({ imageLayoutVersion: '1.0.0' }) },
    { path: 'index.json', content: JSON.stringify(index) },
    { path: 'blobs', folder: true },
    { path: 'blobs/sha256', folder: true },
    ...files,
  ]);
}

function blob(mediaType: string, bytes: Buffer): Blob {
  return { mediaType, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`, bytes };
}

function jsonBlob(mediaType: string, value: object): Blob {
  return blob(mediaType, Buffer.from(JSON.stringify(value)));
}

function descriptor({ mediaType, digest, bytes }: Blob): { mediaType: string; digest: string; size: number } {
  return { mediaType, digest, size: bytes.length };
}
