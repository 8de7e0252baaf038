import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { buildImageParts } from '@edge/testing';

/** An image registry with one image, `team/tool:1`, behind a name and a password. */
export async function startRegistry(account: { readonly username: string; readonly password: string }): Promise<AsyncDisposable & { readonly port: number }> {
  const { manifest, blobs } = buildImageParts({ name: 'team/tool:1', base: 'scratch', files: [{ path: 'file', content: 'x' }], config: { User: 'web' } });
  const files = new Map([manifest, ...blobs].map((blob) => [blob.digest, blob]));
  const key = `Basic ${Buffer.from(`${account.username}:${account.password}`).toString('base64')}`;
  const server: Server = createServer(({ method, url = '', headers }, response) => {
    const [, name, reference = ''] = /^\/v2\/(.+)\/(?:manifests|blobs)\/([^/?]+)/.exec(url) ?? [];
    const file = name === 'team/tool' ? (reference === '1' ? manifest : files.get(reference)) : undefined;
    if (headers.authorization !== key) response.writeHead(401, { 'www-authenticate': 'Basic realm="test"' }).end();
    else if (!file) response.writeHead(404).end();
    else {
      response.writeHead(200, { 'content-type': file.mediaType, 'content-length': file.bytes.length, 'docker-content-digest': file.digest });
      response.end(method === 'HEAD' ? undefined : file.bytes);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
