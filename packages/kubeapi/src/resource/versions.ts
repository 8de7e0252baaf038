const PATTERN = /^v(\d+)(?:(alpha|beta)(\d+))?$/;
const LEVEL = { alpha: 1, beta: 2, stable: 3 } as const;

function rank(version: string): [number, number, number] {
  const match = PATTERN.exec(version);
  if (match === null) return [0, 0, 0];
  const level = match[2] === undefined ? LEVEL.stable : LEVEL[match[2] as 'alpha' | 'beta'];
  return [level, Number(match[1]), Number(match[3] ?? 0)];
}

/** Orders API versions, most preferred first: v2, v1, v1beta2, v1beta1, v1alpha1, then anything else by name. */
export function compareVersions(a: string, b: string): number {
  const [ra, rb] = [rank(a), rank(b)];
  for (const i of [0, 1, 2] as const) if (ra[i] !== rb[i]) return rb[i] - ra[i];
  return a < b ? -1 : a > b ? 1 : 0;
}
