// What a release reads of a workspace, and the little that it writes besides what nx writes.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

export const PLANS = join('.nx', 'version-plans');

/** package.json of every package of the workspace, with the folder it is in. */
export function readManifests(root) {
  const { workspaces } = readJson(join(root, 'package.json'));
  const folders = workspaces.flatMap((pattern) => pattern.split('/').reduce((found, part) => found.flatMap((folder) => (part === '*' ? subfolders(join(root, folder)).map((name) => join(folder, name)) : [join(folder, part)])), ['']));
  return folders.filter((folder) => existsSync(join(root, folder, 'package.json'))).map((folder) => ({ folder, ...readJson(join(root, folder, 'package.json')) }));
}

/** What `nx release plan` has written: kinds of change by package, and a sentence. */
export function readPlans(root) {
  const folder = join(root, PLANS);
  if (!existsSync(folder)) return [];
  return readdirSync(folder).sort().map((file) => {
    const [, head = '', text = ''] = /^---\n(.*?)\n---\n(.*)$/s.exec(readFileSync(join(folder, file), 'utf8')) ?? [];
    if (head === '' || text.trim() === '') throw new Error(`${join(PLANS, file)} is no version plan: it wants "package: kind" between two lines ---, then a sentence for the user; npx nx release plan writes one`);
    return { file: join(PLANS, file), bumps: parse(head), text: text.trim() };
  });
}

/** One more plan, for a package that changes because of others. */
export function writePlan(root, { name, kind, because }) {
  writeFileSync(join(root, PLANS, `because-of-others-${name.replace(/\W+/g, '-')}.md`), `---\n'${name}': ${kind}\n---\n\n${sentence(because.join(', '))}\n`);
}

/** Ranges of packages on others, also of packages that are never released, such as examples. */
export function writeRanges(root, manifests, ranges) {
  for (const { folder, name } of manifests) {
    const wanted = ranges.filter((range) => range.package === name);
    if (wanted.length === 0) continue;
    const path = join(root, folder, 'package.json');
    const manifest = readJson(path);
    for (const { field, name: other, to } of wanted) manifest[field][other] = to;
    writeJson(path, manifest);
  }
}

/** Brings the lock file to the packages as they are now; nothing of others moves in it. */
export function writeLock(root) {
  const path = join(root, 'package-lock.json');
  if (!existsSync(path)) return;
  const lock = readJson(path);
  for (const { folder, ...manifest } of readManifests(root)) {
    const entry = lock.packages[folder];
    if (!entry) continue;
    for (const field of ['version', 'dependencies', 'peerDependencies', 'devDependencies']) if (entry[field] !== undefined) entry[field] = manifest[field];
  }
  writeJson(path, lock);
}

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

function writeJson(path, value) {
  writeFileSync(path, `${JSON.stringify(value, undefined, 2)}\n`);
}

const subfolders = (folder) => readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name).sort();
const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
