import type { KubeObject } from '@edge/kubeapi';

export interface Subject {
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
}

/** A RoleBinding or ClusterRoleBinding. */
export interface StoredBinding extends KubeObject {
  subjects?: Subject[] | null;
  roleRef?: { kind?: string; name?: string };
}

/** A Role or ClusterRole. */
export interface StoredRole extends KubeObject {
  rules?: unknown[] | null;
}

/** What there is of roles in the cluster. */
export interface Roles {
  readonly roleBindings: readonly StoredBinding[];
  readonly clusterRoleBindings: readonly StoredBinding[];
  role(namespace: string, name: string): StoredRole | undefined;
  clusterRole(name: string): StoredRole | undefined;
}

/** `spec` of the ServiceAccountAccess of an account: every binding that is for it, with the rules of its role. */
export function accessSpec(account: KubeObject, roles: Roles): Record<string, unknown> {
  const byName = (a: StoredBinding, b: StoredBinding): number => (a.metadata.name < b.metadata.name ? -1 : 1);
  const rulesOf = (binding: StoredBinding, namespace: string | undefined): unknown[] | undefined => {
    const { kind, name = '' } = binding.roleRef ?? {};
    if (kind === 'ClusterRole') return roles.clusterRole(name)?.rules ?? undefined;
    return kind === 'Role' && namespace !== undefined ? (roles.role(namespace, name)?.rules ?? undefined) : undefined;
  };
  const local = roles.roleBindings.filter((binding) => isFor(binding, account, binding.metadata.namespace ?? '')).sort(byName).flatMap((roleBinding) => {
    const rules = rulesOf(roleBinding, roleBinding.metadata.namespace ?? '');
    return rules === undefined ? [] : [{ roleBinding, rules }];
  });
  const everywhere = roles.clusterRoleBindings.filter((binding) => isFor(binding, account, '')).sort(byName).flatMap((clusterRoleBinding) => {
    const rules = rulesOf(clusterRoleBinding, undefined);
    return rules === undefined ? [] : [{ clusterRoleBinding, rules }];
  });
  return {
    serviceAccount: account, serviceAccountUid: account.metadata.uid,
    ...(local.length > 0 ? { accessRoleBinding: local } : {}), ...(everywhere.length > 0 ? { accessClusterRoleBinding: everywhere } : {}),
  };
}

/** @param namespace the binding's, for accounts that are named without one; empty for a ClusterRoleBinding */
function isFor({ subjects }: StoredBinding, { metadata }: KubeObject, namespace: string): boolean {
  const user = `system:serviceaccount:${metadata.namespace}:${metadata.name}`;
  const groups = ['system:serviceaccounts', `system:serviceaccounts:${metadata.namespace}`, 'system:authenticated'];
  return (subjects ?? []).some(({ kind, name = '', namespace: owner }) => {
    if (kind === 'ServiceAccount') return name === metadata.name && (owner || namespace) === metadata.namespace;
    return (kind === 'User' && name === user) || (kind === 'Group' && groups.includes(name));
  });
}
