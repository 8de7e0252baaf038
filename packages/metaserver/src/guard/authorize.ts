import { parseFieldSelector, type AccessRequest, type Authorizer, type UserInfo } from '@edge/kubeapi';
import { grantsOf, isGranted, type Grant } from './access-rules.js';
import type { NodeObjects } from './node-objects.js';
import type { Wanted } from './rbac.js';

/** What everybody may read, as Kubernetes' role system:discovery has it: it says what there is, nothing of it. */
const PUBLIC = /^\/(?:api|apis|openapi)(?:\/.*)?$|^\/(?:version|healthz|livez|readyz)(?:\/[^/]*)?\/?$/;
/** A GET of these runs something in a pod, so `get` on `pods/*` must not be enough. */
const RUNNING = ['exec', 'attach', 'portforward', 'proxy'];

/**
 * What a user may do: the node's operator everything, all others what the cloud's roles say, as far as the ServiceAccountAccess
 * objects on this node carry them. [metaserver-21]
 */
export class Authorization {
  readonly #objects: NodeObjects;
  readonly #node: string;
  #grants: readonly Grant[] | undefined;

  constructor(deps: { objects: NodeObjects; node: string }) {
    this.#objects = deps.objects;
    this.#node = deps.node;
  }

  /** Forgets the rules when they change. Returns the way to stop. */
  follow(): () => void {
    return this.#objects.onAccessChange(() => {
      this.#grants = undefined;
    });
  }

  readonly authorize: Authorizer = (request) => {
    const wanted = wantedOf(request);
    if (isOperator(request.user, this.#node) || isPublic(wanted)) return true;
    this.#grants ??= this.#objects.accesses().flatMap(grantsOf);
    return isGranted(this.#grants, request.user, wanted) || 'no role that this node knows of allows it';
  };
}

/** The node itself, which is who has its key, and who may do everything in the cluster. */
function isOperator({ name, groups }: UserInfo, node: string): boolean {
  return groups.includes('system:masters') || (name === `system:node:${node}` && groups.includes('system:nodes'));
}

function isPublic(wanted: Wanted): boolean {
  return wanted.kind === 'path' && (wanted.verb === 'get' || wanted.verb === 'head') && PUBLIC.test(wanted.path);
}

/** A request as rules speak of it. */
export function wantedOf({ verb, path, query, ref }: AccessRequest): Wanted {
  if (ref === undefined) return { kind: 'path', verb, path };
  const { group, resource, subresource = '', namespace = '' } = ref;
  // A namespace lies in itself: who has a role there may see it.
  const place = resource === 'namespaces' && group === '' && namespace === '' ? (ref.name ?? '') : namespace;
  const runs = group === '' && resource === 'pods' && RUNNING.includes(subresource);
  return { kind: 'resource', verb: runs ? 'create' : verb, group, resource, subresource, namespace: place, name: ref.name ?? nameOf(verb, query) };
}

/** A list or watch of one object by its name counts as that object, for rules with resourceNames. */
function nameOf(verb: string, query: URLSearchParams): string {
  if (verb !== 'list' && verb !== 'watch' && verb !== 'deletecollection') return '';
  try {
    return parseFieldSelector(query.get('fieldSelector') ?? '').find(({ field, equal }) => field === 'metadata.name' && equal)?.value ?? '';
  } catch {
    // Refused later with a better word.
    return '';
  }
}
