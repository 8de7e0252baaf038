import { requireType, requireVerb } from '../engine/lookup.js';
import { ApiError, badRequest, successStatus } from '../errors.js';
import type { ResourceRegistry } from '../resource/registry.js';
import type { ApiBackend } from '../types/backend.js';
import type { SubresourceHandler, SubresourceRequest } from '../types/hooks.js';
import type { DraftObject } from '../types/object.js';
import type { PatchType } from '../types/requests.js';
import type { ResourceRef, ResourceType, Verb } from '../types/resource.js';
import type { Answers } from './answers.js';
import { negotiate, type AnswerForm } from './accept.js';
import { mediaType, parseBody, readBody } from './body.js';
import type { Exchange } from './exchange.js';
import { deleteOptions, flag, listOptions, writeOptions } from './query.js';
import { respond } from './respond.js';

const PATCH_TYPES: Readonly<Record<string, PatchType>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
};

export interface ResourceTarget {
  ref: ResourceRef;
  subpath: string;
  verb: Verb;
}

/** The verb of a request for a resource, as authorization and discovery name it. Undefined for a method that is not served. */
export function verbOf(method: string, ref: ResourceRef, query: URLSearchParams, watchPrefix: boolean): Verb | undefined {
  const single = ref.name !== undefined;
  switch (method) {
    case 'GET':
    case 'HEAD':
      if (ref.subresource === undefined && (watchPrefix || flag(query, 'watch') === true)) return 'watch';
      return single ? 'get' : 'list';
    case 'POST': return 'create';
    case 'PUT': return single ? 'update' : undefined;
    case 'PATCH': return single ? 'patch' : undefined;
    case 'DELETE': return single ? 'delete' : 'deletecollection';
    default: return undefined;
  }
}

/** Answers everything below a resource but watches. */
export class ResourceHandler {
  readonly #backend: ApiBackend;
  readonly #registry: ResourceRegistry;
  readonly #subresources: ReadonlyMap<string, SubresourceHandler>;
  readonly #bodyLimit: number;
  readonly #answers: Answers;

  constructor(deps: { backend: ApiBackend; registry: ResourceRegistry; answers: Answers; subresources: readonly SubresourceHandler[]; bodyLimit: number }) {
    this.#backend = deps.backend;
    this.#registry = deps.registry;
    this.#answers = deps.answers;
    this.#bodyLimit = deps.bodyLimit;
    this.#subresources = new Map(deps.subresources.map((handler) => [`${handler.group}/${handler.plural}/${handler.subresource}`, handler]));
  }

  /** The handler that was registered for a subresource. */
  handlerOf(ref: ResourceRef): SubresourceHandler | undefined {
    return ref.subresource === undefined ? undefined : this.#subresources.get(`${ref.group}/${ref.resource}/${ref.subresource}`);
  }

  /** Type and right scope of a ref. Throws NotFound or MethodNotAllowed. */
  check(ref: ResourceRef, verb: Verb): ResourceType {
    const type = requireType(this.#registry, ref);
    const misplaced = type.namespaced ? ref.namespace === undefined && ref.name !== undefined : ref.namespace !== undefined;
    if (misplaced) throw new ApiError('NotFound', `${type.plural} are ${type.namespaced ? 'in namespaces' : 'not in namespaces'}: the path does not fit`);
    if (this.handlerOf(ref) === undefined) requireVerb(type, ref, verb);
    return type;
  }

  async handle(exchange: Exchange, target: ResourceTarget): Promise<void> {
    const { ref, verb } = target;
    const type = this.check(ref, verb);
    const handler = this.handlerOf(ref);
    if (handler !== undefined) return this.#subresource(exchange, target, type, handler);
    if (ref.subresource !== undefined && ref.subresource !== 'status' && ref.subresource !== 'scale' && ref.subresource !== 'finalize' && ref.subresource !== 'approval') {
      throw new ApiError('NotFound', `${type.plural}/${ref.subresource} is not served here`);
    }
    const form = negotiate(exchange.request.headers.accept);
    const { query, context } = exchange;
    switch (verb) {
      case 'get': {
        const version = query.get('resourceVersion');
        return this.#answers.object(exchange, form, await this.#backend.get(ref, version === null ? {} : { resourceVersion: version }, context), type);
      }
      case 'list': return this.#answers.list(exchange, form, await this.#backend.list(ref, listOptions(query), context), type);
      default: return this.#write(exchange, target, form, type);
    }
  }

  async #write(exchange: Exchange, { ref, verb }: ResourceTarget, form: AnswerForm, type: ResourceType): Promise<void> {
    const { query, context } = exchange;
    const options = writeOptions(query, exchange.request.headers['user-agent']);
    switch (verb) {
      case 'create': return this.#answers.changed(exchange, form, 201, await this.#backend.create(ref, await this.#body(exchange) as DraftObject, options, context), type);
      case 'update': {
        const { object, created } = await this.#backend.update(ref, await this.#body(exchange) as DraftObject, options, context);
        return this.#answers.changed(exchange, form, created ? 201 : 200, object, type);
      }
      case 'patch': {
        const kind = PATCH_TYPES[mediaType(exchange.request)];
        if (kind === undefined) throw new ApiError('UnsupportedMediaType', `a patch must have one of these content types: ${Object.keys(PATCH_TYPES).join(', ')}`);
        if (kind === 'apply' && (query.get('fieldManager') ?? '') === '') throw badRequest('apply needs the query parameter fieldManager');
        const body = await this.#body(exchange);
        if (body === undefined) throw badRequest('a patch needs a body');
        const patch = { type: kind, body, ...(flag(query, 'force') === true ? { force: true } : {}) };
        const { object, created } = await this.#backend.patch(ref, patch, options, context);
        return this.#answers.changed(exchange, form, created ? 201 : 200, object, type);
      }
      case 'delete': return this.#delete(exchange, form, ref, type);
      case 'deletecollection': {
        const list = await this.#backend.deleteCollection(ref, listOptions(query), deleteOptions(query, await this.#body(exchange)), context);
        return this.#answers.list(exchange, form, list, type);
      }
      default: throw new ApiError('MethodNotAllowed', `${verb} is not served for ${type.plural}`);
    }
  }

  async #delete(exchange: Exchange, form: AnswerForm, ref: ResourceRef, type: ResourceType): Promise<void> {
    const { object, removed } = await this.#backend.delete(ref, deleteOptions(exchange.query, await this.#body(exchange)), exchange.context);
    if (!removed) return this.#answers.changed(exchange, form, 200, object, type);
    const details = { name: object.metadata.name, kind: type.plural, uid: object.metadata.uid, ...(type.group === '' ? {} : { group: type.group }) };
    return respond(exchange.response, 200, successStatus(details), form.encoding);
  }

  async #subresource(exchange: Exchange, target: ResourceTarget, type: ResourceType, handler: SubresourceHandler): Promise<void> {
    const verb = target.verb;
    const { name, subresource } = target.ref;
    if (name === undefined || subresource === undefined || verb === 'list' || verb === 'watch' || verb === 'deletecollection') {
      throw new ApiError('MethodNotAllowed', `${verb} is not served for ${type.plural}/${handler.subresource}`);
    }
    const request: SubresourceRequest = {
      verb, type, ref: { ...target.ref, name, subresource }, path: target.subpath, body: undefined, query: exchange.query,
      options: writeOptions(exchange.query, exchange.request.headers['user-agent']), context: exchange.context,
    };
    if (handler.stream !== undefined) return handler.stream(request, { request: exchange.request, response: exchange.response });
    if (handler.handle === undefined) throw badRequest(`${type.plural}/${handler.subresource} needs a connection upgrade`);
    const body = verb === 'get' || verb === 'delete' ? undefined : await this.#body(exchange);
    const answer = await handler.handle({ ...request, body });
    return respond(exchange.response, verb === 'create' ? 201 : 200, answer, negotiate(exchange.request.headers.accept).encoding);
  }

  /** Undefined for no body at all. */
  async #body(exchange: Exchange): Promise<unknown> {
    const bytes = await readBody(exchange.request, this.#bodyLimit);
    return bytes.length === 0 ? undefined : parseBody(bytes, mediaType(exchange.request));
  }
}
