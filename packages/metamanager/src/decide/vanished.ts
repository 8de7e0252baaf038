import { isDeepStrictEqual } from 'node:util';

/** The uid that a pod's status patch names; undefined when the text is none. */
export function patchedUid(patch: string | undefined): string | undefined {
  try {
    const { metadata } = (JSON.parse(patch ?? 'null') ?? {}) as { metadata?: { uid?: unknown } };
    return typeof metadata?.uid === 'string' && metadata.uid !== '' ? metadata.uid : undefined;
  } catch {
    return undefined;
  }
}

/**
 * True for a status patch that changes nothing. It asks whether the API has that very pod; edged does so about pods that
 * run although nobody here knows them.
 */
export function isInquiry(patch: unknown): boolean {
  try {
    return typeof patch === 'string' && isDeepStrictEqual(JSON.parse(patch), { metadata: { uid: patchedUid(patch) } });
  } catch {
    return false;
  }
}
