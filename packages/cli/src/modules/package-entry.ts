import { isFields } from '@edge/protocol';

/** Conditions under which this program loads code, as Node.js' `import` has them. */
const CONDITIONS = ['node', 'import', 'module-sync', 'default'];

/**
 * The file that `import 'name'` loads of a package, as its package.json says; relative to the package. Pure.
 * @returns undefined when it has nothing to import
 */
export function packageEntry(manifest: Readonly<Record<string, unknown>>): string | undefined {
  const { exports, main } = manifest;
  if (exports !== undefined && exports !== null) return target(isFields(exports) && '.' in exports ? exports['.'] : exports);
  return typeof main === 'string' && main !== '' ? main : 'index.js';
}

/** Of an object, the first condition that leads somewhere; of a list, the first. */
function target(value: unknown): string | undefined {
  if (typeof value === 'string') return value.startsWith('./') ? value : undefined;
  if (Array.isArray(value)) return value.map(target).find((found) => found !== undefined);
  if (!isFields(value)) return undefined;
  for (const [condition, next] of Object.entries(value)) {
    const found = CONDITIONS.includes(condition) ? target(next) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}
