import type { Store, Table } from '@edge/core';
import { formatResource, metaTable, metaV2Table, ResourceTypes, type KubeObject, type MetaRow, type MetaV2Row, type ResourcePath } from '@edge/protocol';
import { isKubeObject } from './decide/content.js';
import { decideEdit, type EditDecision } from './decide/edit.js';
import { leaseIsWorthStoring } from './decide/lease.js';
import { decideNotFound, decideRemoval, type RemovalDecision } from './decide/removal.js';
import { Tombstones } from './decide/tombstones.js';
import { decideUpsert, type Identity, type Origin, type UpsertDecision } from './decide/upsert.js';
import { isEditedHere } from './values/edited-here.js';
import { metaV2Place, metaV2Row } from './values/meta-v2.js';
import { objectType } from './values/object-types.js';
import { sortedJson, structJson } from './values/sorted-json.js';

/** A state of an object to be stored. */
export interface IncomingObject {
  readonly path: ResourcePath;
  readonly object: KubeObject;
  /** Version from the message's header, for objects that carry none. */
  readonly headerVersion?: string | undefined;
  readonly origin: Origin;
  /** The local API follows its type: it is shown there although it changes all the time. */
  readonly isAskedFor?: boolean;
}

/**
 * The two tables of this module. Reads are immediate; writes resolve when they are on the disk, and each write decides
 * and acts in one unit, so that lanes that meet at one object cannot undo each other's newer state.
 */
export class MetaObjects {
  readonly #store: Store;
  readonly #meta: Table<MetaRow>;
  readonly #metaV2: Table<MetaV2Row>;
  readonly #tokens: { dropBound(podUid: string): void };
  /** Keys of `meta_v2` that the unit under way writes. */
  #touched = new Set<string>();
  /** Of objects whose end was pushed; an answer of the cloud that was on its way before does not bring them back. */
  readonly #ended = new Tombstones();
  #onShown: ((keys: ReadonlySet<string>) => void) | undefined;

  /** @param deps `tokens` forgets those of a pod, inside the unit that removes the pod */
  constructor(deps: { store: Store; tokens: { dropBound(podUid: string): void } }) {
    this.#store = deps.store;
    this.#tokens = deps.tokens;
    this.#meta = deps.store.table<MetaRow>(metaTable);
    this.#metaV2 = deps.store.table<MetaV2Row>(metaV2Table);
  }

  /** The text stored under a key. */
  value(key: string): string | undefined {
    return this.#meta.get({ key })?.value;
  }

  /** Texts of all rows of a type, by key. */
  valuesOf(type: string): string[] {
    return this.#meta.all({ type }, { orderBy: ['key'] }).map((row) => row.value);
  }

  /** Keys and texts of all rows of a type, by key. */
  rowsOf(type: string): { readonly key: string; readonly value: string }[] {
    return this.#meta.all({ type }, { orderBy: ['key'] });
  }

  /** The object stored under a path, undefined when there is none or the row holds no object (upstream stores errors too). */
  object(path: ResourcePath): KubeObject | undefined {
    return readObject(this.value(formatResource(path)));
  }

  identity(path: ResourcePath): Identity | undefined {
    const object = this.object(path);
    return object && identityOf(object);
  }

  /** Stores a state of an object in both tables unless a newer one is there. */
  upsert(incoming: IncomingObject): Promise<UpsertDecision> {
    return this.#commit(() => this.#upsert(incoming));
  }

  /** Stores the node's own change of an object in both tables; the cloud's next state of it goes over it. */
  edit(path: ResourcePath, object: KubeObject): Promise<EditDecision> {
    return this.#commit(() => {
      const row = metaV2Row(path.type, object);
      const [stored, shown] = [this.object(path), row && this.shown(row.key)];
      const decision = decideEdit(identityOf(object), stored && identityOf(stored));
      if (decision !== 'edited' || row === undefined) return decision;
      // The local API may have read a newer state in the cloud.
      if (shown && decideEdit(identityOf(object), identityOf(shown)) === 'outdated') return 'outdated';
      this.#meta.put({ key: formatResource(path), type: path.type, value: sortedJson(object) });
      this.#putShown(row);
      return 'edited';
    });
  }

  /** Removes an object and what hangs on it, if it is the one with that uid. */
  remove(path: ResourcePath, stub: KubeObject | undefined): Promise<RemovalDecision> {
    this.#ended.add(stub?.metadata.uid);
    return this.#commit(() => {
      const stored = this.object(path);
      const decision = decideRemoval(stub?.metadata.uid, stored && identityOf(stored));
      // A row that holds no object (an error that upstream stored) goes as well.
      if (decision !== 'kept') this.#removeRows(path, stored ?? stub, stub?.metadata.uid);
      if (path.type === ResourceTypes.pod) this.#removeTokens(stub?.metadata.uid ?? stored?.metadata.uid);
      return decision;
    });
  }

  /** Removes what the cloud says it does not have, if the row is still as it was when the cloud was asked. */
  removeNotFound(path: ResourcePath, before: Identity | undefined): Promise<RemovalDecision> {
    return this.#commit(() => {
      const stored = this.object(path);
      const decision = decideNotFound(before, stored && identityOf(stored));
      if (decision !== 'kept') this.#removeRows(path, stored);
      return decision;
    });
  }

  /** One who wants to know which objects of the local API change. */
  onShown(listener: (keys: ReadonlySet<string>) => void): void {
    this.#onShown = listener;
  }

  /** The object that the local API has under a key of `meta_v2`. */
  shown(key: string): KubeObject | undefined {
    return readObject(this.#metaV2.get({ key })?.value.trimEnd());
  }

  /** Everything that the local API has, by key. Rows without a resource are documents of the cloud. */
  allShown(counts: (key: string) => boolean = (): boolean => true): { readonly key: string; readonly object: KubeObject }[] {
    return this.#metaV2.all({}, { orderBy: ['key'] }).flatMap(({ key, value }) => {
      if (!counts(key)) return [];
      const object = readObject(value.trimEnd());
      return object?.kind && object.apiVersion ? [{ key, object }] : [];
    });
  }

  /** Documents of the cloud's API by path: rows that are no object. */
  documents(): { readonly path: string; readonly text: string }[] {
    const rows = this.#metaV2.all({ group_version_resource: '' }, { orderBy: ['key'] });
    // Files of older versions lack the column for objects.
    return rows.filter(({ value }) => readObject(value.trimEnd()) === undefined).map(({ key, value }) => ({ path: key, text: value }));
  }

  putDocument(path: string, text: string): Promise<void> {
    return this.#store.commit(() => {
      if (this.#metaV2.get({ key: path })?.value === text) return;
      this.#metaV2.put({ key: path, group_version_resource: '', namespace: '', name: '', resource_version: 0, value: text });
    });
  }

  /** Keeps what the local API read from the cloud, newest wins, and forgets what the cloud no longer has; one unit. */
  record(objects: readonly KubeObject[], absent: readonly KubeObject[]): Promise<void> {
    return this.#commit(() => {
      for (const object of absent) {
        const place = metaV2Place('', object, true);
        const there = place && this.shown(place.key);
        if (place && decideNotFound(identityOf(object), there && identityOf(there)) === 'removed') this.#removeShown(place.key);
      }
      for (const object of objects) {
        const row = metaV2Row('', object, true);
        const there = row && this.shown(row.key);
        const decision = row && decideUpsert(identityOf(object), there && identityOf(there), 'push');
        if (!row || (decision !== 'created' && decision !== 'replaced')) continue;
        // Its end was pushed before the answer came; an older one under its name has gone all the more.
        if (this.#ended.has(object.metadata.uid)) this.#removeShown(row.key);
        else this.#putShown(row);
      }
    });
  }

  /** Stores a value that is no object: text as it is, anything else as JSON. */
  putValue(key: string, type: string, value: unknown): Promise<void> {
    return this.#store.commit(() => {
      const text = typeof value === 'string' ? value : sortedJson(value);
      if (this.#meta.get({ key })?.value !== text) this.#meta.put({ key, type, value: text });
    });
  }

  /** Keeps the text of the last status patch; the local API shows a pod with it. */
  putPatch(path: ResourcePath, value: unknown): Promise<void> {
    return this.#commit(() => {
      const key = formatResource(path);
      const text = typeof value === 'string' ? value : sortedJson(value);
      if (this.#meta.get({ key })?.value === text) return;
      this.#meta.put({ key, type: path.type, value: text });
      if (path.type === ResourceTypes.podPatch) this.#touched.add(`/core/v1/pods/${path.namespace}/${path.name}`);
    });
  }

  removeValue(key: string): Promise<void> {
    return this.#store.commit(() => void this.#meta.remove({ key }));
  }

  #upsert({ path, object, headerVersion, origin, isAskedFor = false }: IncomingObject): UpsertDecision {
    const stored = this.object(path);
    const identity = identityOf(object);
    const decision = decideUpsert(
      { ...identity, resourceVersion: identity.resourceVersion ?? headerVersion },
      stored && identityOf(stored),
      // A pod's patch names the uid; a node's hits whatever Node has the name, so its answer tells which one that is.
      origin === 'patch-answer' && path.type === ResourceTypes.node ? 'answer' : origin,
    );
    // The answer to a status patch of a pod that is gone must not bring its row back.
    if (decision === 'created' && origin === 'patch-answer' && path.type === ResourceTypes.pod) return 'foreign';
    if (decision === 'older' || decision === 'foreign') return decision;
    const isWorthIt = path.type !== ResourceTypes.lease || leaseIsWorthStoring(object, stored);
    if (!isWorthIt && !isAskedFor) return decision;
    if (decision !== 'same' && isWorthIt) this.#putMeta(path, object, origin);
    this.#putMetaV2(path.type, object, decision, isAskedFor);
    if (decision === 'replaced' && path.type === ResourceTypes.pod && stored?.metadata.uid !== object.metadata.uid) {
      this.#removePatch(path);
      this.#removeTokens(stored?.metadata.uid);
    }
    return decision;
  }

  #putMeta(path: ResourcePath, object: KubeObject, origin: Origin): void {
    const type = objectType(path.type);
    const value = origin === 'patch-answer' && type ? structJson(type.kind, type.apiVersion, { ...object }) : sortedJson(object);
    this.#meta.put({ key: formatResource(path), type: path.type, value });
  }

  #putMetaV2(type: string, object: KubeObject, decision: UpsertDecision, isAskedFor: boolean): void {
    const row = metaV2Row(type, object, isAskedFor);
    if (!row) return;
    const there = this.#metaV2.get({ key: row.key });
    // The same state again is written only where a file of upstream lags behind.
    if (decision === 'same' && there?.resource_version === row.resource_version) return;
    // What the local API read from the cloud may be newer than what is pushed.
    const oldest = isEditedHere(row.key) ? Math.max(1, row.resource_version) : row.resource_version + 1;
    if (there !== undefined && there.resource_version >= oldest && readObject(there.value)?.metadata.uid === object.metadata.uid) return;
    this.#putShown(row);
  }

  #putShown(row: MetaV2Row): void {
    this.#metaV2.put(row);
    this.#touched.add(row.key);
  }

  #removeShown(key: string): void {
    if (this.#metaV2.remove({ key }) > 0) this.#touched.add(key);
  }

  /** A unit that tells the local API which of its objects it wrote; also after a failure, as somebody may have read them meanwhile. */
  async #commit<T>(work: () => T): Promise<T> {
    this.#touched = new Set();
    const done = this.#store.commit(work);
    const touched = this.#touched;
    try {
      return await done;
    } finally {
      if (touched.size > 0) this.#onShown?.(touched);
    }
  }

  #removeRows(path: ResourcePath, object: KubeObject | undefined, uid?: string): void {
    this.#meta.remove({ key: formatResource(path) });
    // Stubs carry no kind, so the type has to tell where the object lies in the other table.
    const bare = { metadata: { name: path.name, ...(path.namespace === 'null' ? {} : { namespace: path.namespace }) } };
    const place = metaV2Place(path.type, object ?? bare, true) ?? metaV2Place(path.type, bare, true);
    // The local API may have read a later object of that name.
    const shown = place && uid ? this.shown(place.key)?.metadata.uid : undefined;
    if (place && (shown === undefined || shown === uid)) this.#removeShown(place.key);
    if (path.type === ResourceTypes.pod) this.#removePatch(path);
  }

  #removePatch(pod: ResourcePath): void {
    this.#meta.remove({ key: formatResource({ ...pod, type: ResourceTypes.podPatch }) });
  }

  #removeTokens(podUid: string | undefined): void {
    if (podUid) this.#tokens.dropBound(podUid);
  }
}

/** Reads a stored text as an object; undefined for damaged rows and for errors stored in place of objects. */
export function readObject(value: string | undefined): KubeObject | undefined {
  if (value === undefined || !value.startsWith('{')) return undefined;
  try {
    const parsed: unknown = JSON.parse(value);
    return isKubeObject(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

export function identityOf(object: KubeObject): Identity {
  const { uid, resourceVersion, creationTimestamp } = object.metadata;
  return { uid, resourceVersion, creationTimestamp };
}
