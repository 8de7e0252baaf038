import { movedTo } from './migrate-table.js';
import { nearest } from './nearest.js';
import type { Section } from './schema/field.js';
import { paths } from './schema/rows.js';

const IGNORED = 'this key is unknown and ignored';

/** Says what a key that nobody knows was probably meant to be. The key itself is not repeated. */
export function unknownKeyMessage(section: Section, key: string, path: string): string {
  const moved = movedTo(path === '' ? key : `${path}.${key}`);
  if (moved !== undefined) return `${IGNORED}; it belonged to v1alpha1 and is now ${moved}`;
  const wanted = key.toLowerCase();
  const elsewhere = paths().filter((known) => known.slice(known.lastIndexOf('.') + 1).toLowerCase() === wanted);
  // A key at the wrong level: name the place, the one that shares most with where it stands.
  if (elsewhere.length > 0) return `${IGNORED} here; did you mean ${closest(elsewhere, path)}?`;
  return didYouMean(key, Object.keys(section.fields));
}

/** The same for a key whose only neighbours are `known`. */
export function didYouMean(key: string, known: readonly string[]): string {
  const similar = nearest(key, known);
  return similar === undefined ? IGNORED : `${IGNORED}; did you mean ${similar}?`;
}

function closest(candidates: readonly string[], path: string): string {
  const shared = (candidate: string): number => {
    const a = candidate.split('.');
    return path.split('.').findIndex((part, i) => part !== a[i]) >>> 0;
  };
  return [...candidates].sort((a, b) => shared(b) - shared(a))[0] ?? '';
}
