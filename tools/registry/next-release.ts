import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, type Manifest } from './root.js';
import { mustRun } from './run.js';

/** What `tools/release.mjs` decides. */
interface Decision {
  readonly packages: readonly { readonly name: string; readonly to: string }[];
  readonly ranges: readonly { readonly package: string; readonly field: 'dependencies' | 'peerDependencies' | 'devDependencies'; readonly name: string; readonly to: string }[];
}

type Mutable = { -readonly [Key in keyof Manifest]: Manifest[Key] } & { [Field in Decision['ranges'][number]['field']]?: Record<string, string> };

/**
 * A workspace as it is after a release with that plan: versions and ranges are those that `npm run release` decides on, the code is
 * that of now with the manifests of then in it, where the build would write them.
 * @param plan kind of change by package, or `contract`
 * @param before the workspace of the release before
 * @returns version of every package that the release raises
 */
export async function nextRelease(folder: string, plan: Readonly<Record<string, string>>, before: string = root): Promise<ReadonlyMap<string, string>> {
  for (const name of readdirSync(join(before, 'packages'))) {
    const [from, to] = [join(before, 'packages', name), join(folder, 'packages', name)];
    mkdirSync(to, { recursive: true });
    cpSync(join(from, 'package.json'), join(to, 'package.json'));
    cpSync(join(from, 'dist'), join(to, 'dist'), { recursive: true, filter: (path) => !path.endsWith('.map') });
  }
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'workspace', private: true, workspaces: ['packages/*'] }));
  mkdirSync(join(folder, '.nx', 'version-plans'), { recursive: true });
  writeFileSync(join(folder, '.nx', 'version-plans', 'plan.md'), `---\n${Object.entries(plan).map(([name, kind]) => `'${name}': ${kind}\n`).join('')}---\n\nA change.\n`);
  await mustRun('sh', ['-c', 'git init --quiet && git -c user.name=t -c user.email=t@example.org commit --quiet --allow-empty --message=x && git tag contract@0.0.0'], folder);
  const { packages, ranges } = JSON.parse(await mustRun(process.execPath, [join(root, 'tools', 'release.mjs'), '--dry-run', '--json'], folder)) as Decision;

  const versions = new Map(packages.map(({ name, to }) => [name, to]));
  for (const name of readdirSync(join(folder, 'packages'))) {
    const own = join(folder, 'packages', name);
    const manifest = JSON.parse(readFileSync(join(own, 'package.json'), 'utf8')) as Mutable;
    manifest.version = versions.get(manifest.name) ?? manifest.version;
    for (const { field, name: other, to } of ranges.filter((range) => range.package === manifest.name)) manifest[field] = { ...manifest[field], [other]: to };
    writeFileSync(join(own, 'package.json'), JSON.stringify(manifest, undefined, 2));
    for (const file of readdirSync(join(own, 'dist')).filter((path) => path.endsWith('.js'))) {
      const code = readFileSync(join(own, 'dist', file), 'utf8');
      writeFileSync(join(own, 'dist', file), code.replace(/^var package_default = \{.*?^\};$/ms, () => `var package_default = ${JSON.stringify(manifest, undefined, 2)};`));
    }
  }
  return versions;
}
