import { errorText, type Logger, type MessageBus } from '@edge/core';
import { isApiError, respondText, type IncomingRequest, type RequestHook, type ResourceRef } from '@edge/kubeapi';
import { createMessage, Groups, isFields, Operations, Sources } from '@edge/protocol';
import { isOutage, type CloudApi } from '../cloud/cloud-api.js';
import type { ObjectCopy } from '../copy/object-copy.js';
import type { TypeCatalog } from '../types/catalog.js';
import { OWN_GROUP } from '../types/own-group.js';
import { emptyListOf } from './unknown-list.js';

/** Documents that are the cloud's and not ours. Health is ours; OpenAPI would be megabytes over the link. */
const PASSED_ON = /^\/(version|api|api\/[^/]+|apis|apis\/[^/]+|apis\/[^/]+\/[^/]+)\/?$/;
/** A document of the cloud is asked for again after this time, or in a new session. */
const FRESH_MS = 10 * 60_000;
const PATIENCE_MS = 60_000;

interface Known {
  readonly text: string;
  readonly session: number;
  readonly at: number;
}

/** Discovery and version as the cloud has them, kept for when it is away. [metaserver-8] */
export class Documents {
  readonly #bus: MessageBus;
  readonly #cloud: CloudApi;
  readonly #catalog: TypeCatalog;
  readonly #log: Logger;
  readonly #known = new Map<string, Known>();
  /** Groups and versions that the cloud does not have, by path. */
  readonly #unknown = new Map<string, { readonly session: number; readonly at: number }>();
  #copy: ObjectCopy | undefined;

  constructor(deps: { bus: MessageBus; cloud: CloudApi; catalog: TypeCatalog; log: Logger }) {
    this.#bus = deps.bus;
    this.#cloud = deps.cloud;
    this.#catalog = deps.catalog;
    this.#log = deps.log;
  }

  /** Takes in what was kept; before the objects, because it tells their kinds. */
  async load(signal: AbortSignal): Promise<void> {
    const question = createMessage({ source: Sources.metaServer, group: Groups.meta, operation: Operations.get, resource: 'stored/documents' });
    const { content } = await this.#bus.request({ group: Groups.meta }, question, { timeoutMs: PATIENCE_MS, signal });
    for (const item of isFields(content) && Array.isArray(content.items) ? (content.items as unknown[]) : []) {
      // The Go agent may have kept what is no JSON: Protobuf, as its cloud sent it.
      if (!isFields(item) || typeof item.path !== 'string' || typeof item.text !== 'string' || !item.text.trimStart().startsWith('{')) continue;
      this.#known.set(item.path, { text: item.text, session: 0, at: 0 });
      this.#learn(item.text);
    }
  }

  /** Objects of kinds that become known are shown from then on. */
  serve(copy: ObjectCopy): void {
    this.#copy = copy;
  }

  /** For the server: answers discovery and version, and sees to it that a type is known before it is looked up. */
  readonly onRequest: RequestHook = async (request) => {
    if (request.ref !== undefined) {
      if (this.#catalog.registry.find(request.ref) === undefined) await this.#discover(request.ref);
      return this.#listUnknown(request, request.ref);
    }
    const path = request.path.replace(/\/$/, '');
    if (!PASSED_ON.test(path)) return false;
    return this.#answer(request, path);
  };

  async #answer({ context, response }: IncomingRequest, path: string): Promise<boolean> {
    let text = this.#known.get(path)?.text;
    try {
      text = await this.#get(path);
    } catch (error) {
      if (!isOutage(error)) throw error;
      context.warn?.(`from the node's own store, it may be out of date: ${errorText(error)}`);
    }
    // Never seen: the server answers with the types that it knows.
    if (text === undefined) return false;
    respondText(response, 200, text, 'application/json');
    return true;
  }

  /** A list of a type of which neither the node nor, for want of a link, the cloud can tell whether there is one. */
  #listUnknown({ method, query, context, response }: IncomingRequest, ref: ResourceRef): boolean {
    const isList = method === 'GET' && ref.name === undefined && ref.subresource === undefined && !/^(1|true)$/i.test(query.get('watch') ?? '');
    if (!isList || ref.group === OWN_GROUP || this.#cloud.connected || this.#known.has(pathOf(ref)) || this.#catalog.registry.find(ref) !== undefined) return false;
    context.warn?.(`the node does not know the type ${ref.resource}, and is not connected to the cloud, which may: the list says nothing of what there is`);
    respondText(response, 200, JSON.stringify(emptyListOf(ref, this.#catalog.registry.all())), 'application/json');
    return true;
  }

  async #discover(ref: ResourceRef): Promise<void> {
    const path = pathOf(ref);
    const unknown = this.#unknown.get(path);
    if (unknown !== undefined && this.#isFresh(unknown)) return;
    try {
      await this.#get(path);
    } catch (error) {
      // The server then says that there is no such type.
      if (!isOutage(error) && !isApiError(error, 'NotFound')) throw error;
    }
    if (this.#cloud.connected) this.#remember(path);
  }

  /** What is not there today may be there tomorrow; asked for by a client in a loop it costs one question in ten minutes. */
  #remember(path: string): void {
    if (this.#unknown.size >= 1000) this.#unknown.clear();
    this.#unknown.set(path, { session: this.#cloud.session, at: performance.now() });
  }

  /** @throws ApiError the cloud's refusal; EdgeError as `CloudApi.ask` */
  async #get(path: string): Promise<string | undefined> {
    const known = this.#known.get(path);
    if (known !== undefined && this.#isFresh(known)) return known.text;
    const text = await this.#cloud.ask({ key: path, verb: 'get', option: {} });
    if (text === undefined) return known?.text;
    this.#known.set(path, { text, session: this.#cloud.session, at: performance.now() });
    if (this.#learn(text)) await this.#copy?.settle();
    if (text !== known?.text) await this.#keep(path, text);
    return text;
  }

  #isFresh({ session, at }: { readonly session: number; readonly at: number }): boolean {
    return session === this.#cloud.session && session !== 0 && performance.now() - at < FRESH_MS;
  }

  #learn(text: string): boolean {
    try {
      return this.#catalog.learn(JSON.parse(text));
    } catch {
      return false;
    }
  }

  async #keep(path: string, text: string): Promise<void> {
    const message = createMessage({ source: Sources.metaServer, group: Groups.meta, operation: Operations.update, resource: 'stored/documents', content: { path, text } });
    try {
      await this.#bus.request({ group: Groups.meta }, message, { timeoutMs: PATIENCE_MS });
    } catch (error) {
      this.#log.warn('a document of the cloud could not be kept for when it is away', { path, err: errorText(error) });
    }
  }
}

/** Where the discovery of a type is. */
const pathOf = ({ group, version }: ResourceRef): string => (group === '' ? `/api/${version}` : `/apis/${group}/${version}`);
