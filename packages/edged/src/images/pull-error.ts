import { errorText } from '@edge/core';

const NETWORK =
  /dial tcp|no such host|connection refused|connection reset|network is (?:unreachable|down)|no route to host|i\/o timeout|deadline exceeded|handshake timeout|server misbehaving|unexpected EOF|status[^:]*: 50[234]\b/i;

/** True when a pull failed on the way to the registry: no answer at all, so neither a refusal nor a missing image. */
export function isUnreachable(error: unknown): boolean {
  return NETWORK.test(errorText(error));
}

const SPECIAL = ['RegistryUnavailable', 'SignatureValidationFailed'] as const;

/** The waiting reason for a failed pull. Runtimes say in their text what is more than just an error. */
export function pullReason(error: unknown): string {
  const text = errorText(error);
  return SPECIAL.find((reason) => text.includes(reason)) ?? 'ErrImagePull';
}
