/** A row of `edge_metaserver_object`: the version under which clients know an object, or its end. */
export interface JournalRow {
  /** `GROUP/VERSION/PLURAL|NAMESPACE|NAME`; empty for the row about the whole. */
  readonly place: string;
  /** Of the last change. In the row about the whole: the highest that was ever given. */
  readonly version: number;
  /** Version of the creation. In the row about the whole: changes after this version are known. */
  readonly created: number;
  readonly uid: string;
  /** The cloud's resourceVersion. */
  readonly cloud_version: string;
  /** 1 when the object is gone. */
  readonly gone: number;
}

/** What is stored of an object now. */
export interface Present {
  readonly place: string;
  readonly uid: string;
  readonly cloudVersion: string;
}

/** Ends of objects that are remembered for watches that come back. */
export const ENDS_KEPT = 5000;

export const WHOLE = '';

/**
 * Compares what was told to clients with what is stored now. What has changed meanwhile gets new versions, what has not
 * keeps its own; what is not there any more ends. Rows come back as they have to be, the one about the whole included.
 * @param fresh where versions begin when there is no row about the whole: above all that were given before the rows were lost, so
 * that a client which comes back with one of those is told that it is gone
 */
export function reconcileJournal(rows: readonly JournalRow[], present: readonly Present[], fresh: number): { readonly rows: readonly JournalRow[]; readonly changed: readonly JournalRow[]; readonly forgotten: readonly string[] } {
  const whole = rows.find(({ place }) => place === WHOLE);
  const old = new Map(rows.filter(({ place }) => place !== WHOLE).map((row) => [row.place, row]));
  const changed: JournalRow[] = [];
  // Version 0 means "any" to clients, so the first change has 2 and "before everything" is 1.
  let version = Math.max(1, whole?.version ?? fresh);
  const after = new Map<string, JournalRow>();
  /** Of an object that came again under its name only the last life is remembered. */
  let revivedAt = 1;
  for (const { place, uid, cloudVersion } of present) {
    const row = old.get(place);
    old.delete(place);
    const isSame = row !== undefined && row.gone === 0 && row.uid === uid && row.cloud_version === cloudVersion;
    if (isSame) after.set(place, row);
    else {
      version += 1;
      const isOld = row !== undefined && row.gone === 0 && row.uid === uid;
      if (row !== undefined && !isOld) revivedAt = Math.max(revivedAt, row.gone === 1 ? row.version : version - 1);
      const next = { place, version, created: isOld ? row.created : version, uid, cloud_version: cloudVersion, gone: 0 };
      after.set(place, next);
      changed.push(next);
    }
  }
  for (const row of old.values()) {
    if (row.gone === 1) after.set(row.place, row);
    else {
      version += 1;
      const end = { ...row, version, gone: 1 };
      after.set(row.place, end);
      changed.push(end);
    }
  }
  const ends = [...after.values()].filter((row) => row.gone === 1).sort((a, b) => a.version - b.version);
  const forgotten = ends.slice(0, Math.max(0, ends.length - ENDS_KEPT));
  for (const row of forgotten) after.delete(row.place);
  const created = forgotten.reduce((highest, row) => Math.max(highest, row.version), Math.max(whole?.created ?? 1, whole === undefined ? fresh : 1, revivedAt));
  const about: JournalRow = { place: WHOLE, version, created, uid: '', cloud_version: '', gone: 0 };
  return { rows: [about, ...after.values()], changed: changed.length > 0 || forgotten.length > 0 || whole === undefined ? [about, ...changed] : [], forgotten: forgotten.map(({ place }) => place) };
}
