import { X509Certificate } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createResponse, isFields, type KubeObject, type Message } from '@edge/protocol';
import { createTestCa, type IssuedPair, type TestCa, type Validity } from '@edge/testing';
import type { FakeMeta } from './fake-meta.js';
import { Scene, type Answer } from './scene.js';

export const ISSUER = 'https://kubernetes.default.svc.cluster.local';
export const NODE = 'edge-1';

/** metaserver with the gate on, in a folder of its own, with a cloud that signs its certificate. */
export class GuardedScene implements AsyncDisposable {
  readonly #requests = new Map<string, Buffer>();
  /** Certificates are given for this long from now on. */
  validity: Validity = {};
  /** A request stays without approval. */
  isHeld = false;
  readonly asked: string[] = [];

  private constructor(readonly folder: string, readonly ca: TestCa) {}

  scene!: Scene;

  static async open(options: {
    connected?: boolean; stored?: IssuedPair | 'own'; objects?: readonly KubeObject[]; metaServer?: Record<string, unknown>; meta?: FakeMeta; folder?: string; ca?: TestCa; validity?: Validity; isHeld?: boolean;
    /** PEM in the file of the nodes' authority; that of `ca` unless given. */
    nodesAuthority?: string;
  } = {}): Promise<GuardedScene> {
    const guarded = new GuardedScene(options.folder ?? (await mkdtemp(join(tmpdir(), 'guarded-'))), options.ca ?? (await createTestCa()));
    guarded.validity = options.validity ?? {};
    guarded.isHeld = options.isHeld ?? false;
    await mkdir(guarded.pki, { recursive: true });
    await writeFile(join(guarded.folder, 'rootCA.crt'), options.nodesAuthority ?? guarded.ca.certificate);
    if (options.stored) {
      const pair = options.stored === 'own' ? await guarded.ca.server(['127.0.0.1']) : options.stored;
      await writeFile(join(guarded.pki, 'metaserver-current.pem'), `${pair.certificate}\n${pair.privateKey}\n`, { mode: 0o600 });
      await writeFile(join(guarded.pki, 'ca.crt'), guarded.ca.certificate);
    }
    guarded.scene = await Scene.open({
      connected: options.connected ?? false, node: NODE, gates: { requireAuthorization: true }, hub: (message) => guarded.#answer(message),
      // The loopback carries it already, so no link is made.
      metaServer: { dummyServer: '127.0.0.1:0', tlsCaFile: join(guarded.folder, 'rootCA.crt'), ...options.metaServer },
      edge: { metaServer: { certificateDirectory: guarded.pki } },
      ...(options.objects ? { objects: options.objects } : {}), ...(options.meta ? { meta: options.meta } : {}),
    });
    return guarded;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.scene[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true, force: true });
  }

  get pki(): string {
    return join(this.folder, 'pki', 'metaserver');
  }

  /** Ports in the order in which they were opened: the main one, the one for pods. */
  get ports(): readonly number[] {
    return this.scene.running.lines.filter(({ message }) => message === 'the local API listens').map(({ fields }) => Number(String(fields['address']).split(':').at(-1)));
  }

  call(path: string, options: RequestOptions & { token?: string; port?: number } = {}): Promise<Answer & { readonly serial: string }> {
    const { token, port = this.ports[0], headers, ...rest } = options;
    return new Promise((resolve, reject) => {
      const request = httpsRequest({
        host: '127.0.0.1', port, path, ca: this.ca.certificate, agent: false, ...rest, headers: { ...(headers as Record<string, string> | undefined), ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }) },
      }, (response) => {
        const serial = new X509Certificate((response.socket as import('node:tls').TLSSocket).getPeerCertificate().raw).serialNumber;
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          let json: unknown;
          try {
            json = JSON.parse(text);
          } catch {
            json = undefined;
          }
          resolve({ code: response.statusCode ?? 0, text, json, headers: response.headers, serial });
        });
      });
      request.on('error', reject);
      request.end();
    });
  }

  /** A request of that name is in the cloud already. */
  occupy(name: string): void {
    this.#requests.set(name, Buffer.alloc(0));
  }

  /** The code alone. */
  async code(path: string, options: Parameters<GuardedScene['call']>[1] = {}): Promise<number> {
    return (await this.call(path, options)).code;
  }

  /** CloudHub, and an API server with a signer of serving certificates behind it. */
  async #answer(message: Message): Promise<Message | undefined> {
    const { operation, resource, source, group } = message.route;
    if (resource !== 'k8s/ca.crt' && !resource.includes('certificatesigningrequest')) return undefined;
    this.asked.push(`${source} ${group} ${operation} ${resource}`);
    if (resource === 'k8s/ca.crt') return createResponse(message, this.ca.certificate, { source: 'cloudhub', group: 'resource' });
    const name = resource.split('/').at(-1) as string;
    const reply = (object: unknown, status?: unknown): Message => createResponse(message, { Object: object, Err: status === undefined ? null : { ErrStatus: status } }, { source: 'edgecontroller', group: 'resource' });
    if (operation === 'insert') {
      if (this.#requests.has(name)) return reply(null, { reason: 'AlreadyExists', code: 409, message: `certificatesigningrequests "${name}" already exists` });
      const spec = isFields(message.content) && isFields(message.content['spec']) ? message.content['spec'] : {};
      const pem = Buffer.from(String(spec['request']), 'base64').toString('utf8');
      this.#requests.set(name, Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64'));
      return reply(message.content);
    }
    const der = this.#requests.get(name);
    if (der === undefined || this.isHeld) return reply({ metadata: { name }, status: {} });
    const certificate = new X509Certificate(await this.ca.certifyServer(der, this.validity)).toString();
    return reply({ metadata: { name }, status: { conditions: [{ type: 'Approved', status: 'True' }], certificate: Buffer.from(certificate).toString('base64') } });
  }
}
