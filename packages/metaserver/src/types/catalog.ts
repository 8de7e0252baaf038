import { builtinResources, ResourceRegistry, type ResourceType, type SubresourceSpec, type Verb } from '@edge/kubeapi';
import { isFields } from '@edge/protocol';

const ALL: readonly Verb[] = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const DEVICES = { group: 'devices.kubeedge.io', version: 'v1beta1', namespaced: true, verbs: ALL } as const;

/** KubeEdge's own kinds that every node may have, for nodes that never had a link since their API was switched on. */
const KUBEEDGE: readonly ResourceType[] = [
  { ...DEVICES, plural: 'devices', singular: 'device', kind: 'Device', subresources: [{ name: 'status', verbs: ['get', 'patch', 'update'] }] },
  { ...DEVICES, plural: 'devicemodels', singular: 'devicemodel', kind: 'DeviceModel' },
  { ...DEVICES, plural: 'devicestatuses', singular: 'devicestatus', kind: 'DeviceStatus', subresources: [{ name: 'status', verbs: ['get', 'patch', 'update'] }] },
  // What the cloud's policycontroller says of the rights of service accounts; authorization here rests on it.
  { group: 'policy.kubeedge.io', version: 'v1alpha1', plural: 'serviceaccountaccesses', singular: 'serviceaccountaccess', kind: 'ServiceAccountAccess', namespaced: true, verbs: ALL },
];

/** Versions are kept apart: what the cloud gave in one version is never shown as another. */
const apart = (type: ResourceType): ResourceType => ({ ...type, storedAs: `${type.group}/${type.version}/${type.plural}` });

/** The types that the API serves: Kubernetes' own and KubeEdge's from the start, all others as the cloud's discovery names them. */
export class TypeCatalog {
  readonly registry = new ResourceRegistry([...builtinResources(), ...KUBEEDGE].map(apart));
  readonly #byKind = new Map<string, ResourceType>();
  #revision = -1;
  /** What definitions say, by their names. */
  readonly #described = new Map<string, readonly ResourceType[]>();

  /** The type of an object by what it says of itself. */
  ofKind(apiVersion: string, kind: string): ResourceType | undefined {
    if (this.#revision !== this.registry.revision) {
      this.#byKind.clear();
      for (const type of this.registry.all()) this.#byKind.set(`${type.group === '' ? '' : `${type.group}/`}${type.version} ${type.kind}`, type);
      this.#revision = this.registry.revision;
    }
    return this.#byKind.get(`${apiVersion} ${kind}`);
  }

  /**
   * Takes in what the cloud says of one group and version (an APIResourceList). Columns and field selectors of known kinds
   * stay. Anything else is left alone.
   * @returns whether it was such a document
   */
  learn(document: unknown): boolean {
    if (!isFields(document) || document.kind !== 'APIResourceList' || typeof document.groupVersion !== 'string' || !Array.isArray(document.resources)) return false;
    const slash = document.groupVersion.indexOf('/');
    const place = { group: slash < 0 ? '' : document.groupVersion.slice(0, slash), version: document.groupVersion.slice(slash + 1) };
    const entries = document.resources.filter(isFields);
    for (const entry of entries) {
      const type = typeOf(place, entry, entries);
      if (type === undefined) continue;
      const known = this.registry.find({ ...place, resource: type.plural });
      this.registry.register(apart({ ...known, ...type }));
      for (const described of [...this.#described.values()].flat()) if (isSame(described, type)) this.#add(described);
    }
    return true;
  }

  /** Takes in what a definition says of its types, in place of what it said before. Which types are served is told by discovery alone. */
  describe(definition: string, types: readonly ResourceType[]): void {
    for (const before of this.#described.get(definition) ?? []) {
      const known = this.registry.find({ ...before, resource: before.plural });
      if (known === undefined) continue;
      const { tableColumns: _columns, schema: _schema, selectableFields: _fields, custom: _custom, ...plain } = known;
      this.registry.register(plain);
    }
    this.#described.set(definition, types);
    if (types.length === 0) this.#described.delete(definition);
    for (const type of types) this.#add(type);
  }

  #add({ tableColumns, schema, selectableFields, ...type }: ResourceType): void {
    const known = this.registry.find({ ...type, resource: type.plural });
    if (known === undefined) return;
    this.registry.register({
      ...known, custom: true, ...(tableColumns === undefined ? {} : { tableColumns }), ...(schema === undefined ? {} : { schema }),
      ...(selectableFields === undefined ? {} : { selectableFields }),
    });
  }
}

const isSame = (a: ResourceType, b: ResourceType): boolean => a.group === b.group && a.version === b.version && a.plural === b.plural;

type Fields = Readonly<Record<string, unknown>>;

function typeOf(place: { group: string; version: string }, entry: Fields, all: readonly Fields[]): ResourceType | undefined {
  const { name, kind, namespaced } = entry;
  if (typeof name !== 'string' || name === '' || name.includes('/') || typeof kind !== 'string' || kind === '') return undefined;
  const below = all.flatMap((other): SubresourceSpec[] => {
    const own = typeof other.name === 'string' && other.name.startsWith(`${name}/`) ? other.name.slice(name.length + 1) : '';
    if (own === '' || own.includes('/') || typeof other.kind !== 'string') return [];
    const ref = { group: textOr(other.group, place.group), version: textOr(other.version, place.version), kind: other.kind };
    return [{ name: own, verbs: verbsOf(other.verbs), ...(other.kind === kind ? {} : { kind: ref }) }];
  });
  return {
    ...place, plural: name, kind, singular: textOr(entry.singularName, kind.toLowerCase()), namespaced: namespaced === true, verbs: verbsOf(entry.verbs),
    ...(below.length > 0 ? { subresources: below } : {}),
    ...(Array.isArray(entry.shortNames) ? { shortNames: entry.shortNames.map(String) } : {}),
    ...(Array.isArray(entry.categories) ? { categories: entry.categories.map(String) } : {}),
  };
}

const textOr = (value: unknown, otherwise: string): string => (typeof value === 'string' && value !== '' ? value : otherwise);
const verbsOf = (value: unknown): readonly Verb[] => (Array.isArray(value) ? ALL.filter((verb) => value.includes(verb)) : []);
