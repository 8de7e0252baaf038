import type { Status } from './objects/meta.js';

/** The resource in most refusals, the kind in those of the validation. */
const KINDS: ReadonlySet<string> = new Set(['pods', 'Pod']);
const ANOTHER_UID = /uid mismatch|UID in precondition|metadata\.uid/;

/**
 * True when a refused status patch proves that the API has no such pod any more: none of the name, or one with another
 * uid. A 404 from something on the way to the API server proves nothing, so the API's own words are asked for.
 */
export function podHasVanished({ reason, message, details }: Status, name: string): boolean {
  if (details?.name !== name || !KINDS.has(details.kind ?? '')) return false;
  if (reason === 'NotFound') return message === `pods "${name}" not found`;
  return (reason === 'Conflict' || reason === 'Invalid') && ANOTHER_UID.test(message);
}
