import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Blob } from './image.js';
import { buildImageParts, type ImageRecipe } from './test-images.js';

export interface RegistryOptions {
  /** What it serves, by repository and tag: `team/tool:1`. */
  readonly images: readonly ImageRecipe[];
  /** Who may pull; everybody unless given. */
  readonly account?: { readonly username: string; readonly password: string };
}

/** A registry on the loopback, from which container runtimes pull without TLS. */
export interface Registry extends AsyncDisposable {
  /** `localhost:40123`, the first part of the names of its images. */
  readonly host: string;
  /** Manifests given out, for tests that count pulls. */
  readonly pulls: readonly string[];
}

/** Starts a registry on a free port. */
export async function startRegistry({ images, account }: RegistryOptions): Promise<Registry> {
  const files = new Map<string, Blob>();
  for (const recipe of images) {
    const [repository = '', tag = 'latest'] = recipe.name.split(':');
    const { manifest, blobs } = buildImageParts(recipe);
    files.set(`${repository} ${tag}`, manifest);
    for (const blob of [manifest, ...blobs]) files.set(`${repository} ${blob.digest}`, blob);
  }
  const key = account && `Basic ${Buffer.from(`${account.username}:${account.password}`).toString('base64')}`;
  const pulls: string[] = [];
  const server = createServer(({ method, url = '', headers }, response) => {
    const [, repository, kind, reference] = /^\/v2\/(.+)\/(manifests|blobs)\/([^/?]+)/.exec(url) ?? [];
    const file = files.get(`${repository} ${reference}`);
    if (key !== undefined && headers.authorization !== key) return void response.writeHead(401, { 'www-authenticate': 'Basic realm="test"' }).end();
    if (!file) return void response.writeHead(404).end();
    if (kind === 'manifests') pulls.push(`${repository}:${reference}`);
    response.writeHead(200, { 'content-type': file.mediaType, 'content-length': file.bytes.length, 'docker-content-digest': file.digest });
    response.end(method === 'HEAD' ? undefined : file.bytes);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `localhost:${(server.address() as AddressInfo).port}`,
    pulls,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
