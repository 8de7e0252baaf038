import { createHash } from 'node:crypto';
import { upgradeError, UpgradeErrors } from '../errors.js';

/** A digest of an archive. */
export interface Digest {
  readonly algorithm: 'sha256' | 'sha512';
  readonly hex: string;
}

const LENGTHS = { sha256: 64, sha512: 128 } as const;

/**
 * Reads `sha512-<base64>` (npm) or `sha256:<hex>`, `sha512:<hex>` (images and node jobs).
 * @throws EdgeError `upgrade.bad-digest`
 */
export function readDigest(text: string): Digest {
  const [, name, sign, rest = ''] = /^(sha256|sha512)([:-])(.+)$/.exec(text.trim()) ?? [];
  if (name === 'sha256' || name === 'sha512') {
    const hex = sign === ':' ? rest.toLowerCase() : Buffer.from(rest, 'base64').toString('hex');
    if (hex.length === LENGTHS[name] && /^[0-9a-f]+$/.test(hex)) return { algorithm: name, hex };
  }
  throw upgradeError(UpgradeErrors.badDigest, `"${text}" is no digest; write sha512-<base64> as npm does, or sha256:<hex> or sha512:<hex>`);
}

/** Digest of an archive's bytes, as npm writes it. */
export function integrityOf(archive: Uint8Array): string {
  return `sha512-${createHash('sha512').update(archive).digest('base64')}`;
}

export function hexOf(archive: Uint8Array, algorithm: Digest['algorithm']): string {
  return createHash(algorithm).update(archive).digest('hex');
}
