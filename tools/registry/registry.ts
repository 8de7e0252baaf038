import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What npm knows of one version: its package.json and where its archive is. */
interface PublishedManifest {
  readonly name: string;
  readonly version: string;
  readonly dist: { readonly tarball: string; readonly integrity?: string };
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** What `npm publish` sends, and what npm reads when it installs. */
interface Packument {
  readonly name: string;
  readonly 'dist-tags': Readonly<Record<string, string>>;
  readonly versions: Readonly<Record<string, PublishedManifest>>;
  readonly _attachments?: Readonly<Record<string, { readonly data: string }>>;
}

export interface Registry extends AsyncDisposable {
  readonly url: string;
  /** Settings that make npm look for the scope here, and allow it to publish; every other package comes from where it usually does. */
  readonly env: Readonly<Record<string, string>>;
  /** Every version of a package, in the order in which they were published. */
  versionsOf(name: string): readonly PublishedManifest[];
}

const SCOPE = '@edge';
const TOKEN = 'of-this-test';

/**
 * An npm registry in memory, on the loopback, for the packages of one scope: `npm publish` with its token, `npm install` for all. A
 * version that is there is never replaced. Whoever asks for another scope is sent on.
 * @param elsewhere the registry that has all other packages
 */
export async function startRegistry(elsewhere: string): Promise<Registry> {
  const packages = new Map<string, Packument>();
  const archives = new Map<string, Buffer>();

  const publish = async (name: string, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.headers.authorization !== `Bearer ${TOKEN}`) return answer(response, 401, { error: 'publishing needs the token' });
    const sent = JSON.parse(Buffer.concat(await request.toArray()).toString('utf8')) as Packument;
    const there = packages.get(name);
    const taken = Object.keys(sent.versions).find((version) => there?.versions[version]);
    if (taken !== undefined) return answer(response, 403, { error: `${name} ${taken} is published already` });
    const [data] = Object.values(sent._attachments ?? {}).map((attachment) => Buffer.from(attachment.data, 'base64'));
    const [manifest] = Object.values(sent.versions);
    if (!data || !manifest) return answer(response, 400, { error: 'one version and its archive are sent at a time' });
    archives.set(new URL(manifest.dist.tarball).pathname, data);
    packages.set(name, { name, 'dist-tags': { ...there?.['dist-tags'], ...sent['dist-tags'] }, versions: { ...there?.versions, ...sent.versions } });
    answer(response, 201, { ok: true });
  };

  const server = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? '').split('?')[0] ?? '');
    const name = path.slice(1);
    const archive = archives.get(path);
    if (request.method === 'PUT') {
      publish(name, request, response).catch((error: unknown) => answer(response, 400, { error: String(error) }));
    } else if (archive) {
      response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(archive);
    } else if (packages.has(name)) {
      answer(response, 200, packages.get(name));
    } else if (name.startsWith(`${SCOPE}/`)) {
      answer(response, 404, { error: 'not found' });
    } else {
      response.writeHead(302, { location: new URL((request.url ?? '').slice(1), elsewhere.replace(/\/*$/, '/')).href }).end();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `http://${host}/`,
    env: { [`npm_config_${SCOPE}:registry`]: `http://${host}/`, [`npm_config_//${host}/:_authToken`]: TOKEN },
    versionsOf: (name) => Object.values(packages.get(name)?.versions ?? {}),
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
