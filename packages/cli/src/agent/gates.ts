import { FEATURE_GATES } from '@edge/config';
import type { FeatureGates } from '@edge/core';

/** Gates that `AllAlpha` switches: all that are no group, for upstream has no beta gate. */
const ALPHA: readonly string[] = FEATURE_GATES.filter((gate) => !gate.startsWith('All'));

/** Feature gates of the configuration. A gate's own value goes before that of its group. */
export function gatesOf(configured: Readonly<Record<string, boolean>> | null | undefined): FeatureGates {
  const explicit = (gate: string): boolean | undefined => configured?.[gate] ?? (ALPHA.includes(gate) ? configured?.['AllAlpha'] : undefined);
  return { explicit, enabled: (gate) => explicit(gate) ?? false };
}
