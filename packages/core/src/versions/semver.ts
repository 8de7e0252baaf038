/** A version `major.minor.patch[-prerelease]`. */
export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  /** Empty for a release. A prerelease counts as older than its release and newer than everything before. */
  readonly prerelease: string;
}

const VERSION = /^v?(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/;

/** Reads a version; undefined when it is none. */
export function parseVersion(text: string): Version | undefined {
  const match = VERSION.exec(text.trim());
  if (!match) return undefined;
  return { major: Number(match[1]), minor: Number(match[2]), patch: Number(match[3]), prerelease: match[4] ?? '' };
}

function compare(a: Version, b: Version): number {
  if (a.major !== b.major) return a.major - b.major;
  if (a.minor !== b.minor) return a.minor - b.minor;
  if (a.patch !== b.patch) return a.patch - b.patch;
  if (a.prerelease === b.prerelease) return 0;
  if (a.prerelease === '') return 1;
  if (b.prerelease === '') return -1;
  return a.prerelease < b.prerelease ? -1 : 1;
}

/**
 * Whether a version lies in a range of the forms that packages of this project use: `1.2.3`, `^1.2.3`, `~1.2.3`,
 * `>=1.2.3`, several of them joined by spaces (all must hold) or ` || ` (one must). `^0.2.3` means `>=0.2.3 <0.3.0`.
 * Undefined when the range is of no such form.
 */
export function satisfies(version: string, range: string): boolean | undefined {
  const parsed = parseVersion(version);
  if (!parsed) return undefined;
  const verdicts = range.split('||').map((part) => satisfiesAll(parsed, part.trim()));
  if (verdicts.includes(undefined)) return undefined;
  return verdicts.includes(true);
}

/** Whether a version is older than everything in a range. Of a range that cannot be read nothing is known: false. */
export function liesBelow(version: string, range: string): boolean {
  const parsed = parseVersion(version);
  const bases = range.match(/\d+\.\d+\.\d+[0-9A-Za-z.+-]*/g)?.map(parseVersion) ?? [];
  return parsed !== undefined && bases.length > 0 && bases.every((base) => base !== undefined && compare(parsed, base) < 0);
}

/** Whether two versions promise to work with each other: the leftmost number that is not 0 is the same. */
export function sameLine(a: string, b: string): boolean {
  const [first, second] = [parseVersion(a), parseVersion(b)];
  if (!first || !second || first.major !== second.major) return false;
  if (first.major > 0) return true;
  return first.minor === second.minor && (first.minor > 0 || first.patch === second.patch);
}

function satisfiesAll(version: Version, range: string): boolean | undefined {
  if (range === '' || range === '*') return true;
  const verdicts = range.split(/\s+/).map((comparator) => satisfiesOne(version, comparator));
  if (verdicts.includes(undefined)) return undefined;
  return !verdicts.includes(false);
}

function satisfiesOne(version: Version, comparator: string): boolean | undefined {
  const match = /^(\^|~|>=|<=|>|<|=)?(.+)$/.exec(comparator);
  const base = match?.[2] === undefined ? undefined : parseVersion(match[2]);
  if (!base) return undefined;
  const order = compare(version, base);
  switch (match?.[1] ?? '=') {
    case '^':
      return order >= 0 && compare(version, caretLimit(base)) < 0;
    case '~':
      return order >= 0 && version.major === base.major && version.minor === base.minor;
    case '>=':
      return order >= 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '<':
      return order < 0;
    default:
      return order === 0;
  }
}

/** First version outside of `^base`: the leftmost number that is not 0 must stay. */
function caretLimit(base: Version): Version {
  const zero = { patch: 0, prerelease: '0' };
  if (base.major > 0) return { major: base.major + 1, minor: 0, ...zero };
  if (base.minor > 0) return { major: 0, minor: base.minor + 1, ...zero };
  return { major: 0, minor: 0, patch: base.patch + 1, prerelease: '0' };
}
