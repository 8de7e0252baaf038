/** How a list (or a union-like object) is merged. Lists without a rule are replaced as a whole. */
export type MergeRule =
  /** A list of objects told apart by the value of `key`. */
  | { kind: 'map'; key: string; retainKeys?: boolean }
  /** A list of scalars without order of its own. */
  | { kind: 'set' }
  /** An object of which only the named fields may stay: a patch says `$retainKeys`. */
  | { kind: 'retainKeys' };

/** The rule for the field at `path` (field names from the root, no list indexes), or undefined for none. */
export type MergeRules = (path: readonly string[]) => MergeRule | undefined;

const byKey = (key: string): MergeRule => ({ kind: 'map', key });
const union: MergeRule = { kind: 'retainKeys' };
const set: MergeRule = { kind: 'set' };

/** Fields that mean the same wherever they occur. */
const BY_FIELD: Readonly<Record<string, MergeRule>> = {
  containers: byKey('name'),
  initContainers: byKey('name'),
  ephemeralContainers: byKey('name'),
  volumes: { kind: 'map', key: 'name', retainKeys: true },
  imagePullSecrets: byKey('name'),
  hostAliases: byKey('ip'),
  topologySpreadConstraints: byKey('topologyKey'),
  schedulingGates: byKey('name'),
  resourceClaims: { kind: 'map', key: 'name', retainKeys: true },
  ownerReferences: byKey('uid'),
};

/** Fields that mean it only below the named parent: `parent.field`. */
const BY_PARENT: Readonly<Record<string, MergeRule>> = {
  'metadata.finalizers': set,
  'spec.ports': byKey('port'),
  'spec.podCIDRs': set,
  'spec.strategy': union,
  'spec.updateStrategy': union,
  'status.conditions': byKey('type'),
  'status.addresses': byKey('type'),
  'status.podIPs': byKey('ip'),
  'status.hostIPs': byKey('ip'),
};

for (const parent of ['containers', 'initContainers', 'ephemeralContainers']) {
  Object.assign(BY_PARENT, {
    [`${parent}.env`]: byKey('name'),
    [`${parent}.ports`]: byKey('containerPort'),
    [`${parent}.volumeMounts`]: byKey('mountPath'),
    [`${parent}.volumeDevices`]: byKey('devicePath'),
  });
}

/**
 * The rules of the built-in Kubernetes types in use. Taints, tolerations and container statuses have none: upstream
 * replaces them as a whole.
 */
export function kubernetesMergeRules(path: readonly string[]): MergeRule | undefined {
  const field = path.at(-1);
  if (field === undefined) return undefined;
  const parent = path.at(-2);
  if (parent !== undefined && Object.hasOwn(BY_PARENT, `${parent}.${field}`)) return BY_PARENT[`${parent}.${field}`];
  // The secrets of a service account are at the root; elsewhere the word means something else.
  if (path.length === 1 && field === 'secrets') return byKey('name');
  return Object.hasOwn(BY_FIELD, field) ? BY_FIELD[field] : undefined;
}
