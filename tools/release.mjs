// `npm run release`: versions and changelogs by the version plans, a commit and tags; nothing leaves the machine. With --publish:
// builds and sends what is not in the registry. With --dry-run either only says what it would do (--json: for programs).
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { CONTRACT, decide } from './release/decide.mjs';
import { publish } from './release/publish.mjs';
import { PLANS, readManifests, readPlans, writeLock, writePlan, writeRanges } from './release/workspace.mjs';

const root = process.cwd();
const KNOWN = ['--dry-run', '--json', '--publish'];
const args = process.argv.slice(2);
const [dryRun, json, publishes] = KNOWN.map((flag) => args.includes(flag));

try {
  const unknown = args.filter((arg) => !KNOWN.includes(arg));
  if (unknown.length > 0) throw new Error(`${unknown.join(' ')}: the flags are ${KNOWN.join(', ')}`);
  await (publishes ? sendOut() : release());
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

async function release() {
  const manifests = readManifests(root);
  const plans = readPlans(root);
  const first = !git('tag', '--list').split('\n').some((tag) => /@\d/.test(tag));
  const { packages, ranges } = first ? { packages: manifests.filter((manifest) => !manifest.private).map(firstOut), ranges: [] } : decide(manifests, plans);
  if (json) return print({ first, packages, ranges });
  print(first ? 'The first release: every package goes out as it is.' : packages.length === 0 ? 'Nothing to release: there is no version plan; npx nx release plan writes one.' : `A release of ${packages.length} packages.`);
  for (const { name, from, to, because } of packages) print(`  ${name} ${from === to ? to : `${from} -> ${to}`}${because.length === 0 ? '' : `  (${because.join('; ')})`}`);
  for (const { package: name, name: other, from, to } of ranges) print(`  ${name} asks for ${other} ${to} instead of ${from}`);
  if (dryRun || packages.length === 0) return;

  if (git('status', '--porcelain') !== '') throw new Error('there are changes that are not committed: commit them first, so that a release is what its commit says');
  if (first) for (const { file } of plans) rmSync(join(root, file));
  else await write(manifests, packages, ranges);
  const tags = [...new Set(packages.map(({ name, to }) => (CONTRACT.includes(name) ? `contract@${to}` : `${name}@${to}`)))];
  git('add', '--all');
  if (git('status', '--porcelain') !== '') git('commit', '--quiet', '--message', `release: ${tags.length > 5 ? `${tags.length} versions` : tags.join(', ')}`);
  for (const tag of tags) git('tag', '--annotate', tag, '--message', tag);
  print(`Committed and tagged ${tags.join(', ')}. Push with git push --follow-tags, then npm run release -- --publish.`);
}

/** Versions, ranges and changelogs: by nx, from the plans of contributors and those for packages that change because of them. */
async function write(manifests, packages, ranges) {
  for (const item of packages) if (item.because.length > 0) writePlan(root, item);
  // Before nx looks at them: it refuses a range that the new version is not in.
  writeRanges(root, manifests, ranges);
  const { releaseChangelog, releaseVersion } = await import('nx/release');
  const { projectsVersionData, workspaceVersion, releaseGraph } = await releaseVersion({ gitCommit: false, gitTag: false, stageChanges: false, deleteVersionPlans: false });
  const wrong = packages.filter(({ name, to }) => projectsVersionData[name]?.newVersion !== to).map(({ name, to }) => `${name}: ${projectsVersionData[name]?.newVersion} instead of ${to}`);
  if (wrong.length > 0) throw new Error(`nx made other versions than were decided: ${wrong.join(', ')}`);
  await releaseChangelog({ versionData: projectsVersionData, version: workspaceVersion, releaseGraph, gitCommit: false, gitTag: false, stageChanges: false });
  rmSync(join(root, PLANS), { recursive: true, force: true });
  writeLock(root);
}

async function sendOut() {
  const out = await publish(root, { dryRun });
  print(json ? out : out.length === 0 ? 'The registry has everything already.' : `${dryRun ? 'Would publish' : 'Published'} ${out.join(', ')}`);
}

function firstOut({ name, version }) {
  return { name, from: version, to: version, kind: 'patch', because: [] };
}

function git(...words) {
  const { status, stdout, stderr } = spawnSync('git', words, { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`git ${words.join(' ')} failed: ${stderr}`);
  return stdout.trim();
}

function print(what) {
  process.stdout.write(`${typeof what === 'string' ? what : JSON.stringify(what)}\n`);
}
