import { randomBytes } from 'node:crypto';
import { createCertificateRequest, EdgeError, errorCode, errorText, nodeCommonName, sleep, type CloudLink, type Logger, type MessageBus, type NodeIdentity } from '@edge/core';
import { createMessage, formatResource, Groups, isFields, Modules, Operations, type Message } from '@edge/protocol';
import { servingNames, type MetaServerConfig } from '../config.js';
import { metaServerError } from '../errors.js';
import { authoritiesIn, servingPair, type ServingPair } from './certificate-files.js';

export interface CloudCertificatesDeps {
  readonly bus: MessageBus;
  readonly link: CloudLink;
  readonly identity: NodeIdentity;
  readonly config: MetaServerConfig;
  readonly log: Logger;
  /** Milliseconds between two looks at a request that waits for approval; 5 s unless given, as upstream. */
  readonly pollMs?: number;
}

const PATIENCE_MS = 60_000;
const POLL_MS = 5000;
/** A request that nobody has approved in this time is made anew: upstream's limit. */
const APPROVAL_MS = 15 * 60_000;
const API = 'certificates.k8s.io/v1';
const SIGNER = 'kubernetes.io/kubelet-serving';

type Fields = Readonly<Record<string, unknown>>;

/** The cluster's authority and serving certificates, asked for over the link in upstream's messages. */
export class CloudCertificates {
  readonly #deps: CloudCertificatesDeps;

  constructor(deps: CloudCertificatesDeps) {
    this.#deps = deps;
  }

  /** True while the cloud can be asked. */
  get isConnected(): boolean {
    return this.#deps.link.value.connected;
  }

  /** Resolves when the cloud can be asked. */
  async connected(signal: AbortSignal): Promise<void> {
    await this.#deps.link.until(({ connected }) => connected, signal);
  }

  /** PEM of the cluster's authority. @throws EdgeError `metaserver.no-certificate` */
  async authority(signal: AbortSignal): Promise<string> {
    const { content } = await this.#ask(createMessage({ source: Modules.metaManager, group: Groups.meta, operation: Operations.query, resource: 'k8s/ca.crt' }), signal);
    try {
      return authoritiesIn(typeof content === 'string' ? content : '');
    } catch (cause) {
      throw metaServerError('metaserver.no-certificate', `the cloud did not give the cluster's authority (CloudCore has this since v1.17): ${errorText(cause)}`, cause);
    }
  }

  /**
   * A certificate for a fresh key. Waits for somebody to approve it.
   * @throws EdgeError `metaserver.no-certificate` when it was denied, failed, or was not approved in time
   */
  async certify(signal: AbortSignal): Promise<ServingPair> {
    const { identity, config, log } = this.#deps;
    const { der, privateKey } = createCertificateRequest([['organization', 'system:nodes'], ['commonName', nodeCommonName(identity.name)]], servingNames(config));
    const name = await this.#insert(`-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64').replace(/(.{64})(?=.)/g, '$1\n')}\n-----END CERTIFICATE REQUEST-----\n`, signal);
    const end = performance.now() + APPROVAL_MS;
    for (let looks = 0; performance.now() < end; looks += 1) {
      const certificate = await this.#issued(name, signal);
      if (certificate !== undefined) return pairOf(certificate, privateKey, name);
      if (looks === 1) log.warn('the certificate request of the local API waits for approval in the cloud', { approve: `kubectl certificate approve ${name}` });
      await sleep(this.#deps.pollMs ?? POLL_MS, signal);
    }
    throw metaServerError('metaserver.no-certificate', `nobody approved the certificate request ${name}; it will be made anew`);
  }

  /** Upstream's name, and one beside it while an older request is still there. */
  async #insert(pem: string, signal: AbortSignal): Promise<string> {
    const own = `metaserver-csr-${this.#deps.identity.name}`;
    for (const name of [own, `${own}-${randomBytes(4).toString('hex')}`]) {
      const request = {
        metadata: { name, creationTimestamp: null },
        spec: { request: Buffer.from(pem).toString('base64'), signerName: SIGNER, usages: ['digital signature', 'key encipherment', 'server auth'] },
        status: {},
      };
      const { content } = await this.#ask(message(name, Operations.insert, request), signal);
      const refusal = refusalIn(content);
      if (refusal === undefined) return name;
      if (refusal.reason !== 'AlreadyExists') throw metaServerError('metaserver.no-certificate', `the cloud refused the certificate request ${name}: ${refusal.message}`);
    }
    throw metaServerError('metaserver.no-certificate', `certificate requests named ${own} are there already`);
  }

  /** Undefined until somebody has approved it. While the cloud cannot be asked the request stays there: a new one would have to be approved anew. */
  async #issued(name: string, signal: AbortSignal): Promise<string | undefined> {
    try {
      return issuedIn(await this.#look(name, signal), name);
    } catch (error) {
      if (errorCode(error) === 'metaserver.offline') return undefined;
      throw error;
    }
  }

  async #look(name: string, signal: AbortSignal): Promise<Fields> {
    const { content } = await this.#ask(message(name, Operations.query, undefined), signal);
    const refusal = refusalIn(content);
    if (refusal !== undefined) throw metaServerError('metaserver.no-certificate', `the certificate request ${name} is not to be had: ${refusal.message}`);
    const object = isFields(content) && isFields(content['Object']) ? content['Object'] : content;
    return isFields(object) ? object : {};
  }

  async #ask(question: Message, signal: AbortSignal): Promise<Message> {
    let answer: Message;
    try {
      answer = await this.#deps.bus.request({ group: Groups.hub }, question, { timeoutMs: PATIENCE_MS, signal });
    } catch (error) {
      if (signal.aborted) throw error;
      throw metaServerError('metaserver.offline', `the cloud could not be asked: ${errorText(error)}`, error);
    }
    if (answer.route.operation === Operations.error) throw metaServerError('metaserver.offline', `the cloud could not be asked: ${String(answer.content)}`);
    return answer;
  }
}

/** As upstream's bridge sends it: in edged's name, cluster-scoped things under `default`. */
function message(name: string, operation: string, content: unknown): Message {
  const body = content === undefined ? undefined : { kind: 'CertificateSigningRequest', apiVersion: API, ...(content as object) };
  return createMessage({ source: Modules.edged, group: Groups.meta, operation, resource: formatResource({ namespace: 'default', type: 'certificatesigningrequest', name }), content: body });
}

/** The Status in an answer: bare, or beside the object. */
function refusalIn(content: unknown): { readonly reason: string; readonly message: string } | undefined {
  if (!isFields(content)) return { reason: '', message: 'the answer is none' };
  const error = isFields(content['Err']) ? content['Err'] : content;
  const status = error['ErrStatus'];
  if (!isFields(status)) return undefined;
  return { reason: String(status['reason'] ?? ''), message: String(status['message'] ?? '') };
}

function issuedIn(request: Fields, name: string): string | undefined {
  const status = isFields(request['status']) ? request['status'] : {};
  const conditions = Array.isArray(status['conditions']) ? status['conditions'].filter(isFields) : [];
  const bad = conditions.find(({ type }) => type === 'Denied' || type === 'Failed');
  if (bad !== undefined) throw metaServerError('metaserver.no-certificate', `the certificate request ${name} ${bad['type'] === 'Denied' ? 'was denied' : 'failed'}: ${String(bad['message'] ?? '')}`);
  const { certificate } = status;
  return typeof certificate === 'string' && certificate !== '' ? Buffer.from(certificate, 'base64').toString('utf8') : undefined;
}

function pairOf(certificate: string, privateKey: string, name: string): ServingPair {
  try {
    return servingPair(certificate, privateKey);
  } catch (cause) {
    // A request of that name from another run was signed instead of ours.
    throw cause instanceof EdgeError ? cause : metaServerError('metaserver.no-certificate', `the certificate of request ${name} does not fit: ${errorText(cause)}`, cause);
  }
}
