/** Longest pause between two tries: with the longest attempt behind it, the link is open again within 10 s of the path's return. */
const LIMIT_MS = 4000;
const FIRST_MS = 500;

/**
 * Milliseconds before the next try. The first one after a loss goes at once; then the range doubles, and a try falls
 * anywhere in it, so that a fleet does not come back in step.
 */
export function reconnectPause(failures: number, random: number): number {
  if (failures === 0) return 0;
  return Math.min(LIMIT_MS, FIRST_MS * 2 ** (failures - 1)) * random;
}
