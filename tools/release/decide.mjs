// Which packages a release touches, and how: pure, so that `--dry-run` shows what the release then does.

/** Packages that move together: what modules are made against. */
export const CONTRACT = ['@edge/protocol', '@edge/core', '@edge/testing'];
/** The program. Its version is the agent's, so it moves with whatever it brings. */
const AGENT = '@edge/cli';

const KINDS = ['patch', 'minor', 'major'];
const FIELDS = ['dependencies', 'peerDependencies', 'devDependencies'];

/**
 * The version after a change of this kind. Below 1.0.0 a breaking change (`major`) raises the second number and everything else the
 * third, for that is how `^` reads such versions.
 */
function raise(version, kind) {
  const [major, minor, patch] = version.split('.').map(Number);
  if (kind === 'major') return major > 0 ? `${major + 1}.0.0` : `0.${minor + 1}.0`;
  return kind === 'minor' && major > 0 ? `${major}.${minor + 1}.0` : `${major}.${minor}.${patch + 1}`;
}

/** Whether a version is in a range `^1.2.3`; versions of the project itself are named by no other form. */
function fits(version, range) {
  const [, ...base] = (/^\^(\d+)\.(\d+)\.(\d+)$/.exec(range) ?? fail(`"${range}" is no range of this project: write it as ^1.2.3`)).map(Number);
  const own = version.split('.').map(Number);
  const fixed = base[0] > 0 ? 1 : base[1] > 0 ? 2 : 3;
  if (own.slice(0, fixed).some((number, at) => number !== base[at])) return false;
  return own[1] > base[1] || (own[1] === base[1] && own[2] >= base[2]);
}

/**
 * @param manifests package.json of every package of the workspace; private ones are never released
 * @param plans what contributors have planned: kinds of change by package or `contract`, and a sentence
 * @returns per package that changes: `from`, `to`, `kind`, and why; and the ranges to write, also of packages that stay
 */
export function decide(manifests, plans) {
  const byName = new Map(manifests.filter(({ private: own }) => !own).map((manifest) => [manifest.name, manifest]));
  const kinds = new Map();
  const because = new Map();
  const atLeast = (name, kind, reason) => {
    for (const member of CONTRACT.includes(name) ? CONTRACT.filter((other) => byName.has(other)) : [name]) {
      if (KINDS.indexOf(kind) > KINDS.indexOf(kinds.get(member))) kinds.set(member, kind);
    }
    if (reason !== undefined) because.set(name, new Set(because.get(name)).add(reason));
  };
  for (const { file, bumps } of plans) {
    for (const [name, kind] of Object.entries(bumps)) {
      if (name !== 'contract' && !byName.has(name)) fail(`${file} names "${name}", which is no package that is released; there are contract, ${[...byName.keys()].join(', ')}`);
      if (!KINDS.includes(kind)) fail(`${file} says "${kind}" for ${name}; write patch, minor or major`);
      atLeast(name === 'contract' ? CONTRACT[0] : name, kind);
    }
  }
  const next = (name) => (kinds.has(name) ? raise(byName.get(name).version, kinds.get(name)) : byName.get(name).version);

  // Each pass may raise a version that others depend on; kinds only grow, so it comes to an end.
  for (let before = -1, now = 0; before !== now; ) {
    before = now;
    for (const manifest of byName.values()) {
      for (const [name, range] of rangesOf(manifest, byName, FIELDS.slice(0, 2))) {
        if (fits(next(name), range) || CONTRACT.includes(manifest.name)) continue;
        // Made against another contract it no longer goes with the agents of before: a range of theirs must not take it.
        atLeast(manifest.name, CONTRACT.includes(name) ? 'major' : 'patch', `needs ${name} ^${next(name)}`);
      }
    }
    const brought = [...reach(AGENT, byName)].filter((name) => name !== AGENT && kinds.has(name));
    if (brought.length > 0) atLeast(AGENT, 'patch');
    now = [...kinds.values()].reduce((sum, kind) => sum + KINDS.indexOf(kind) + 1, 0);
  }

  const brought = [...reach(AGENT, byName)].filter((name) => name !== AGENT && kinds.has(name)).map((name) => `${name} ${next(name)}`);
  if (brought.length > 0) because.set(AGENT, new Set([`brings ${brought.sort().join(', ')}`]));
  // What was said while kinds still grew may name a version in between.
  const reason = (name) => [...(because.get(name) ?? [])].filter((text) => !text.startsWith('needs ') || text.endsWith(` ^${next(text.split(' ')[1])}`));
  return {
    packages: [...kinds].map(([name, kind]) => ({ name, from: byName.get(name).version, to: next(name), kind, because: reason(name) })),
    ranges: manifests.flatMap((manifest) => [...rangesOf(manifest, byName, FIELDS)].filter(([name, range]) => !fits(next(name), range)).map(([name, range, field]) => ({ package: manifest.name, field, name, from: range, to: `^${next(name)}` }))),
  };
}

/** The ranges of a package on others of the workspace. */
function* rangesOf(manifest, byName, fields) {
  for (const field of fields) {
    for (const [name, range] of Object.entries(manifest[field] ?? {})) if (byName.has(name)) yield [name, range, field];
  }
}

/** A package and everything of the workspace that is installed with it. */
function reach(name, byName, seen = new Set()) {
  if (seen.has(name) || !byName.has(name)) return seen;
  seen.add(name);
  for (const [next] of rangesOf(byName.get(name), byName, ['dependencies', 'peerDependencies'])) reach(next, byName, seen);
  return seen;
}

function fail(text) {
  throw new Error(text);
}
