// An image in the OCI layout, as one archive.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { archive } from './archive.mjs';

const LAYER = 'application/vnd.oci.image.layer.v1.tar';
const ARCHITECTURES = { x64: 'amd64', arm64: 'arm64', arm: 'arm' };

/**
 * @param folder for drafts; has to be empty
 * @param layers folders, the lowest first; what changes seldom comes first, so that an update brings only what has changed
 * @param config of the process: Entrypoint, Env, Labels
 * @param compress layers by gzip; takes a few seconds
 */
export function imageArchive({ folder, name, layers, config, out, compress }) {
  const blobs = join(folder, 'layout', 'blobs', 'sha256');
  mkdirSync(blobs, { recursive: true });
  const digests = [];
  const descriptors = layers.map((layer, index) => {
    const draft = join(folder, `layer-${index}.tar`);
    archive(layer, draft);
    const plain = readFileSync(draft);
    digests.push(digest(plain));
    if (!compress) {
      renameSync(draft, join(blobs, hex(plain)));
      return { mediaType: LAYER, digest: digest(plain), size: plain.length };
    }
    rmSync(draft);
    return write(blobs, gzipSync(plain, { level: 6 }), `${LAYER}+gzip`);
  });
  const settings = { architecture: ARCHITECTURES[process.arch] ?? process.arch, ...(process.arch === 'arm' ? { variant: 'v7' } : {}), os: 'linux', created: '1970-01-01T00:00:00Z', config, rootfs: { type: 'layers', diff_ids: digests } };
  const manifestType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = { schemaVersion: 2, mediaType: manifestType, config: writeJson(blobs, settings, 'application/vnd.oci.image.config.v1+json'), layers: descriptors };
  const tag = name.slice(name.lastIndexOf(':') + 1);
  const annotations = { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': tag };
  const index = { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [{ ...writeJson(blobs, manifest, manifestType), platform: { architecture: settings.architecture, os: 'linux' }, annotations }] };
  writeFileSync(join(folder, 'layout', 'index.json'), JSON.stringify(index));
  writeFileSync(join(folder, 'layout', 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  archive(join(folder, 'layout'), out);
  return { bytes: statSync(out).size, layers: descriptors.map(({ size }) => size) };
}

function writeJson(blobs, value, mediaType) {
  return write(blobs, Buffer.from(JSON.stringify(value)), mediaType);
}

function write(blobs, bytes, mediaType) {
  writeFileSync(join(blobs, hex(bytes)), bytes);
  return { mediaType, digest: digest(bytes), size: bytes.length };
}

const hex = (bytes) => createHash('sha256').update(bytes).digest('hex');
const digest = (bytes) => `sha256:${hex(bytes)}`;
