import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { Logger } from '@edge/core';
import { errorText } from '@edge/core';
import { createMessage, type Message } from '@edge/protocol';
import { listen, type ListenAddress } from '../net.js';
import type { Pki } from './authority.js';
import { certificateDer, readRequest, signRequest } from './certificates.js';
import { judgeEnrolment, type PeerCertificate } from './enrolment.js';
import { checkBearer } from './token.js';

const CSR_LIMIT = 1024 * 1024;
const TASK_REPORT = /^\/task\/([^/]+)\/name\/([^/]+)\/node\/([^/]+)\/status$/;

export interface EnrolmentServerDeps {
  readonly pki: Pki;
  /** Life of the certificates that it signs, milliseconds. */
  readonly certificateTtlMs: number;
  /** Whether a Node of that name is registered. */
  readonly nodeExists: (name: string) => boolean;
  /** Notes what a node reports of a task: its answer outlives the agent's link. Rejects when the task or the report is none. */
  readonly onTaskReport: (node: string, report: Message) => Promise<unknown>;
  readonly log: Logger;
}

/**
 * The HTTPS side of CloudHub: hands out the authority's certificate, signs the certificates of nodes, says whether a
 * node is known. Asks for a client certificate without demanding one.
 */
export class EnrolmentServer {
  readonly #deps: EnrolmentServerDeps;
  readonly #server: Server;

  constructor(deps: EnrolmentServerDeps) {
    this.#deps = deps;
    this.#server = createServer(
      {
        cert: deps.pki.server.certificatePem, key: deps.pki.server.privateKeyPem, ca: deps.pki.authority.certificatePem,
        requestCert: true, rejectUnauthorized: false, minVersion: 'TLSv1.2',
      },
      (request, response) => void this.#answer(request, response),
    );
    this.#server.headersTimeout = 10_000;
    this.#server.requestTimeout = 30_000;
  }

  /** Resolves with the port. */
  listen(address: ListenAddress): Promise<number> {
    return listen(this.#server, address, 'certificates (HTTPS)');
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    try {
      const task = TASK_REPORT.exec(path);
      if (task && request.method === 'POST') return await this.#taskReport(request, response, task.slice(1).map(decodeURIComponent));
      if (request.method !== 'GET') return end(response, 405, 'only GET is served here');
      if (path === '/ca.crt') return end(response, 200, certificateDer(this.#deps.pki.authority.certificatePem));
      if (path === '/edge.crt') return await this.#enrol(request, response);
      if (path.startsWith('/node/')) return this.#node(decodeURIComponent(path.slice('/node/'.length)), response);
      end(response, 404, `there is nothing at ${path}`);
    } catch (error) {
      this.#deps.log.warn('a certificate request failed', { path, err: errorText(error) });
      end(response, 500, errorText(error));
    }
  }

  #node(name: string, response: ServerResponse): void {
    if (name === '' || name.includes('/')) return end(response, 400, 'the path must be /node/<name>');
    if (this.#deps.nodeExists(name)) end(response, 200, 'Node founded');
    else end(response, 404, 'Node not found');
  }

  /** `POST /task/<type>/name/<task>/node/<node>/status`: as a report by message, from who shows the node's certificate. */
  async #taskReport(request: IncomingMessage, response: ServerResponse, [type = '', task = '', node = '']: string[]): Promise<void> {
    const peer = peerOf(request.socket as TLSSocket);
    if (peer?.trusted !== true || peer.commonName !== `system:node:${node}`) return end(response, 403, `only node ${node} may report for itself, with its certificate`);
    const body = await readBody(request);
    if (body === undefined) return end(response, 413, `a report may have ${CSR_LIMIT} bytes`);
    try {
      await this.#deps.onTaskReport(node, createMessage({ source: 'websocket', group: 'hub', operation: type, resource: `task/${task}/node/${node}`, content: JSON.parse(body.toString()) as unknown }));
    } catch (error) {
      return end(response, 400, errorText(error));
    }
    end(response, 200, 'ok');
  }

  async #enrol(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pki, certificateTtlMs, log } = this.#deps;
    const body = await readBody(request);
    if (body === undefined) return end(response, 413, `a certificate request may have ${CSR_LIMIT} bytes`);
    const nodeName = header(request, 'nodename');
    const wanted = await readRequest(body);
    const verdict = judgeEnrolment(
      { nodeName, authorization: header(request, 'authorization'), peer: peerOf(request.socket as TLSSocket), wanted },
      (bearer) => checkBearer(pki.authority, bearer, Date.now()),
    );
    if (!verdict.ok) {
      log.warn('refused to sign a node certificate', { node: nodeName, reason: verdict.text });
      return end(response, verdict.status, verdict.text);
    }
    const certificate = await signRequest(pki.authority, body, readUsages(header(request, 'extkeyusages')), certificateTtlMs);
    log.info('signed a node certificate', { node: nodeName, days: certificateTtlMs / 86_400_000 });
    end(response, 200, certificate);
  }
}

function peerOf(socket: TLSSocket): PeerCertificate | undefined {
  const certificate = socket.getPeerCertificate();
  if (!certificate || !certificate.subject) return undefined;
  const { CN, O } = certificate.subject as { CN?: string | string[]; O?: string | string[] };
  return { trusted: socket.authorized, commonName: [CN ?? ''].flat()[0] ?? '', organizations: [O ?? []].flat() };
}

function readUsages(text: string): number[] {
  if (text === '') return [];
  try {
    const usages: unknown = JSON.parse(text);
    return Array.isArray(usages) ? usages.filter((usage): usage is number => typeof usage === 'number') : [];
  } catch {
    return [];
  }
}

function header(request: IncomingMessage, name: string): string {
  const value = request.headers[name];
  return Array.isArray(value) ? (value[0] ?? '') : (value ?? '');
}

/** The body, or undefined when it is longer than a request may be. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > CSR_LIMIT) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function end(response: ServerResponse, status: number, body: string | Buffer): void {
  if (response.headersSent) return;
  response.writeHead(status, { 'Content-Length': Buffer.byteLength(body), ...(status === 413 ? { Connection: 'close' } : {}) });
  response.end(body);
}
