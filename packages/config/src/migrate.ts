import { DROPS, MOVES } from './migrate-table.js';
import type { Report } from './report.js';
import { CURRENT, OLD } from './schema/schema.js';
import type { Raw, RawEntry, RawMap } from './yaml/raw.js';

export interface Migrated {
  readonly raw: Raw | undefined;
  readonly migratedFrom?: 'v1alpha1';
}

/** Rewrites a v1alpha1 document as v1alpha2; any other comes back as it is. What has no place any more becomes a warning. */
export function migrate(raw: Raw | undefined, report: Report): Migrated {
  if (raw?.kind !== 'map' || versionOf(raw) !== OLD) return { raw };
  const entries = raw.entries.map((entry) => {
    if (sameKey(entry, 'apiVersion')) return { ...entry, value: { kind: 'scalar', line: entry.line, value: CURRENT, text: CURRENT } as const };
    return sameKey(entry, 'modules') && entry.value.kind === 'map' ? { ...entry, value: modules(entry.value, report) } : entry;
  });
  return { raw: { ...raw, entries }, migratedFrom: 'v1alpha1' };
}

function versionOf(root: RawMap): string | undefined {
  const entry = root.entries.findLast((candidate) => sameKey(candidate, 'apiVersion'));
  return entry?.value.kind === 'scalar' ? entry.value.text.trim() : undefined;
}

const sameKey = (entry: RawEntry, key: string): boolean => entry.key.toLowerCase() === key.toLowerCase();

function modules(map: RawMap, report: Report): RawMap {
  const kept = map.entries.filter((entry) => {
    if (!sameKey(entry, 'edgeMesh')) return true;
    dropped(report, 'modules.edgeMesh', entry.line, 'EdgeMesh is configured on its own');
    return false;
  });
  return { ...map, entries: kept.map((entry) => (sameKey(entry, 'edged') && entry.value.kind === 'map' ? { ...entry, value: edged(entry.value, report) } : entry)) };
}

function edged(map: RawMap, report: Report): RawMap {
  const direct: RawEntry[] = [];
  const nested: RawEntry[] = [];
  for (const entry of map.entries) {
    const gone = DROPS.find(({ from }) => sameKey(entry, from));
    const move = MOVES.find(({ from }) => sameKey(entry, from));
    if (gone !== undefined) dropped(report, `modules.edged.${gone.from}`, entry.line, gone.why);
    else if (move === undefined) direct.push(entry);
    else {
      const value = move.convert === undefined ? entry.value : move.convert(entry.value);
      const [first = '', second] = move.to.split('.');
      if (value === undefined) leftOut(report, `modules.edged.${move.from}`, entry);
      else (second === undefined ? direct : nested).push({ key: second ?? first, line: entry.line, value });
    }
  }
  const line = nested[0]?.line ?? map.line;
  const moved: RawEntry[] = nested.length === 0 ? [] : [{ key: 'tailoredKubeletConfig', line, value: { kind: 'map', line, entries: nested } }];
  const written = direct.find((entry) => sameKey(entry, 'tailoredKubeletConfig'));
  if (written?.value.kind !== 'map') return { ...map, entries: [...direct, ...moved] };
  const keys = new Set(written.value.entries.map((entry) => entry.key.toLowerCase()));
  const both = { ...written.value, entries: [...nested.filter((entry) => !keys.has(entry.key.toLowerCase())), ...written.value.entries] };
  return { ...map, entries: direct.map((entry) => (entry === written ? { ...entry, value: both } : entry)) };
}

function dropped(report: Report, path: string, line: number, why: string): void {
  report.warn({ kind: 'dropped-key', path, line, message: `this v1alpha1 key is ignored: ${why}` });
}

/** Only worth a word when the old value meant something. */
function leftOut(report: Report, path: string, { line, value }: RawEntry): void {
  if (value.kind === 'scalar' && value.text !== '') dropped(report, path, line, 'its socket no longer exists; the default is used');
}
