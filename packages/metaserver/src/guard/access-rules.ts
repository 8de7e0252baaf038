import type { KubeObject, UserInfo } from '@edge/kubeapi';
import { isFields } from '@edge/protocol';
import { allows, concerns, type PolicyRule, type Subject, type Wanted } from './rbac.js';

/** A RoleBinding or ClusterRoleBinding with the rules of its role. */
export interface Grant {
  /** Where it holds; empty for everywhere. */
  readonly namespace: string;
  readonly subjects: readonly Subject[];
  readonly rules: readonly PolicyRule[];
}

type Fields = Readonly<Record<string, unknown>>;

/** The grants in a ServiceAccountAccess. What is not as agreed grants nothing. */
export function grantsOf({ metadata, ...object }: KubeObject): readonly Grant[] {
  const spec = fieldsOf((object as Fields)['spec']);
  const clusterWide = list(spec['accessClusterRoleBinding']).map((entry) => grant(entry, fieldsOf(entry['clusterRoleBinding']), ''));
  const local = list(spec['accessRoleBinding']).flatMap((entry) => {
    const binding = fieldsOf(entry['roleBinding']);
    const namespace = text(fieldsOf(binding['metadata'])['namespace']) || (metadata.namespace ?? '');
    return namespace === '' ? [] : [grant(entry, binding, namespace)];
  });
  return [...clusterWide, ...local];
}

/** True when a grant allows the user what is wanted. */
export function isGranted(grants: readonly Grant[], user: UserInfo, wanted: Wanted): boolean {
  return grants.some(({ namespace, subjects, rules }) => {
    if (namespace !== '' && (wanted.kind !== 'resource' || wanted.namespace !== namespace)) return false;
    return subjects.some((subject) => concerns(subject, user, namespace)) && rules.some((rule) => allows(rule, wanted));
  });
}

/** The service account of a ServiceAccountAccess. */
export function accountOf({ metadata, ...object }: KubeObject): { readonly namespace: string; readonly name: string; readonly uid: string } {
  const spec = fieldsOf((object as Fields)['spec']);
  const account = fieldsOf(fieldsOf(spec['serviceAccount'])['metadata']);
  return { namespace: text(account['namespace']) || (metadata.namespace ?? ''), name: text(account['name']), uid: text(spec['serviceAccountUid']) || text(account['uid']) };
}

function grant(entry: Fields, binding: Fields, namespace: string): Grant {
  const subjects = list(binding['subjects']).map(({ kind, name, namespace: owner }) => ({ kind: text(kind), name: text(name), namespace: text(owner) }));
  return { namespace, subjects, rules: list(entry['rules']).map(ruleOf) };
}

function ruleOf(rule: Fields): PolicyRule {
  return {
    verbs: texts(rule['verbs']), apiGroups: texts(rule['apiGroups']), resources: texts(rule['resources']),
    resourceNames: texts(rule['resourceNames']), nonResourceURLs: texts(rule['nonResourceURLs']),
  };
}

const fieldsOf = (value: unknown): Fields => (isFields(value) ? value : {});
const list = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.filter(isFields) : []);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const texts = (value: unknown): readonly string[] => (Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : []);
