import type { UserInfo } from '@edge/kubeapi';

/** One rule of a Role or ClusterRole (rbac.authorization.k8s.io/v1 PolicyRule). */
export interface PolicyRule {
  readonly verbs: readonly string[];
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames: readonly string[];
  readonly nonResourceURLs: readonly string[];
}

/** Whom a binding is for. */
export interface Subject {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
}

/** What a request wants. */
export type Wanted =
  | { readonly kind: 'resource'; readonly verb: string; readonly group: string; readonly resource: string; readonly subresource: string; readonly namespace: string; readonly name: string }
  | { readonly kind: 'path'; readonly verb: string; readonly path: string };

const ALL = '*';
const ACCOUNT = 'system:serviceaccount:';

/** True when the rule allows it, as Kubernetes' RBAC reads rules. */
export function allows(rule: PolicyRule, wanted: Wanted): boolean {
  if (!rule.verbs.includes(ALL) && !rule.verbs.includes(wanted.verb)) return false;
  if (wanted.kind === 'path') return rule.nonResourceURLs.some((url) => coversPath(url, wanted.path));
  if (!rule.apiGroups.includes(ALL) && !rule.apiGroups.includes(wanted.group)) return false;
  if (!rule.resources.some((resource) => coversResource(resource, wanted.resource, wanted.subresource))) return false;
  return rule.resourceNames.length === 0 || rule.resourceNames.includes(wanted.name);
}

/** True when the binding is for the user. @param namespace the binding's own, for accounts that are named without one; empty for a ClusterRoleBinding */
export function concerns(subject: Subject, user: UserInfo, namespace: string): boolean {
  switch (subject.kind) {
    case 'User': return subject.name === user.name;
    case 'Group': return user.groups.includes(subject.name);
    case 'ServiceAccount': {
      const owner = subject.namespace === '' ? namespace : subject.namespace;
      return owner !== '' && user.name === `${ACCOUNT}${owner}:${subject.name}`;
    }
    default: return false;
  }
}

function coversResource(named: string, resource: string, subresource: string): boolean {
  if (named === ALL) return true;
  if (subresource === '') return named === resource;
  return named === `${resource}/${subresource}` || named === `${ALL}/${subresource}`;
}

function coversPath(named: string, path: string): boolean {
  if (named === ALL || named === path) return true;
  return named.endsWith(ALL) && path.startsWith(named.slice(0, -1));
}
