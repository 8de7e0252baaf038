import type { KubeObject } from '@edge/protocol';
import { sortedJson } from '../values/sorted-json.js';

/**
 * True when a lease differs from the stored one in more than the renewal itself. Writing each renewal would cost the
 * flash memory 8,640 synchronous writes a day for a row that nobody reads while the cloud is there.
 */
export function leaseIsWorthStoring(incoming: KubeObject, stored: KubeObject | undefined): boolean {
  return !stored || essence(incoming) !== essence(stored);
}

function essence(lease: KubeObject): string {
  const { metadata, spec } = lease as KubeObject & { spec?: { holderIdentity?: unknown; leaseDurationSeconds?: unknown } };
  return sortedJson([metadata.uid, metadata.ownerReferences, spec?.holderIdentity, spec?.leaseDurationSeconds]);
}
